"""The bundled schedules: who moves when."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_schedules() -> dict[str, str]:
    return {
        "k-step": "ganbench_plugins.schedules.k_step:KStep",
    }
