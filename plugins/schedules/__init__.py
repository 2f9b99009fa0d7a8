"""The bundled schedules: who moves when."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_schedules() -> dict[str, str]:
    return {
        "adaptive": "ganbench_plugins.schedules.adaptive:Adaptive",
        "g-step": "ganbench_plugins.schedules.g_step:GStep",
        "k-step": "ganbench_plugins.schedules.k_step:KStep",
        "wgan-warm-up": "ganbench_plugins.schedules.wgan_warm_up:WGANWarmUp",
    }
