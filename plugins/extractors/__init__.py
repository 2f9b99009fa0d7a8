"""The bundled extractors, registered by the door that any other package uses."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_extractors() -> dict[str, str]:
    return {
        "digits-cnn": "ganbench_plugins.extractors.digits_cnn:DigitsExtractor",
        "dinov2": "ganbench_plugins.extractors.dinov2:DinoV2",
        "inception": "ganbench_plugins.extractors.inception:Inception",
        "mnist-cnn": "ganbench_plugins.extractors.mnist_cnn:MnistExtractor",
        "module": "ganbench_plugins.extractors.module:Module",
        "raw": "ganbench_plugins.extractors.raw:Raw",
        "stacked-mnist-cnn": "ganbench_plugins.extractors.stacked_mnist_cnn:StackedMnistExtractor",
        "torchscript": "ganbench_plugins.extractors.torchscript:TorchScript",
    }
