"""The bundled data sets, registered by the door that any other package uses."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_datasets() -> dict[str, str]:
    return {
        "celeba": "ganbench_plugins.datasets.celeba:Celeba",
        "cifar10": "ganbench_plugins.datasets.cifar10:Cifar10",
        "digits": "ganbench_plugins.datasets.digits:Digits",
        "fashion-mnist": "ganbench_plugins.datasets.mnist:FashionMnist",
        "gaussian": "ganbench_plugins.datasets.mixtures:Gaussian",
        "grid": "ganbench_plugins.datasets.mixtures:Grid",
        "images": "ganbench_plugins.datasets.images:Images",
        "mnist": "ganbench_plugins.datasets.mnist:Mnist",
        "ring": "ganbench_plugins.datasets.mixtures:Ring",
        "stacked-mnist": "ganbench_plugins.datasets.stacked_mnist:StackedMnist",
        "svhn": "ganbench_plugins.datasets.svhn:Svhn",
    }
