"""The bundled penalties, added to a loss with `+`."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_penalties() -> dict[str, str]:
    return {
        "gp": "ganbench_plugins.penalties.gradient:GradientPenalty",
    }
