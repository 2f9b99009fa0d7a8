"""The bundled losses, registered by the door that any other package uses."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_losses() -> dict[str, str]:
    return {
        "began": "ganbench_plugins.losses.began:BEGAN",
        "ebgan": "ganbench_plugins.losses.ebgan:EBGAN",
        "fgan": "ganbench_plugins.losses.fgan:FGAN",
        "hinge": "ganbench_plugins.losses.hinge:Hinge",
        "lsgan": "ganbench_plugins.losses.least_squares:LeastSquares",
        "minimax": "ganbench_plugins.losses.minimax:Minimax",
        "mmd": "ganbench_plugins.losses.mmd:MMD",
        "nonsat": "ganbench_plugins.losses.non_saturating:NonSaturating",
        "ragan": "ganbench_plugins.losses.relativistic:RelativisticAverage",
        "rpgan": "ganbench_plugins.losses.relativistic:RelativisticPaired",
        "wasserstein": "ganbench_plugins.losses.wasserstein:Wasserstein",
    }
