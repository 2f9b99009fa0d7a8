"""The bundled recipes: objectives of several parts that the literature knows by one name.

Their references are those of their parts. Weights are written out where the name stands for them;
`r3gan`s gamma is between its paper's for CIFAR-10 (0.05) and Stacked-MNIST (1, falling to 0.1).
"""

from ganbench.api import hookimpl


@hookimpl
def ganbench_recipes() -> dict[str, str]:
    return {
        "dragan": "nonsat+dragan:weight=10",
        "ebgan-pt": "ebgan+pull-away:weight=0.1",
        "fgan-hellinger": "fgan:divergence=squared-hellinger",
        "fgan-js": "fgan:divergence=jensen-shannon",
        "fgan-kl": "fgan:divergence=kullback-leibler",
        "fgan-neyman": "fgan:divergence=neyman",
        "fgan-pearson": "fgan:divergence=pearson",
        "fgan-reverse-kl": "fgan:divergence=reverse-kullback-leibler",
        "fgan-tv": "fgan:divergence=total-variation",
        "gan-gp": "nonsat+gp:weight=10",
        "gan-r1": "nonsat+r1:gamma=10",
        "lecam": "hinge+lecam:weight=0.3",
        "lgan": "nonsat+maxgp:weight=10",
        "r3gan": "rpgan+r1:gamma=0.1+r2:gamma=0.1",
        "wgan": "wasserstein:clip=0.01",
        "wgan-gp": "wasserstein+gp:weight=10",
        "wgan-lp": "wasserstein+lp:weight=10",
    }
