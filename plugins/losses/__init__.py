"""The bundled losses, registered by the door that any other package uses."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_losses() -> dict[str, str]:
    return {
        "minimax": "ganbench_plugins.losses.minimax:Minimax",
        "nonsat": "ganbench_plugins.losses.non_saturating:NonSaturating",
    }
