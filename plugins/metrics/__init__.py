"""The bundled metrics, registered by the door that any other package uses."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_metrics() -> dict[str, str]:
    return {
        "digit-classes": "ganbench_plugins.metrics.digit_classes:DigitClasses",
        "fd-digits": "ganbench_plugins.metrics.fd_digits:FdDigits",
        "fd-mnist": "ganbench_plugins.metrics.fd_mnist:FdMnist",
        "fd-inception": "ganbench_plugins.metrics.fd_inception:FdInception",
        "fd-points": "ganbench_plugins.metrics.fd_points:FdPoints",
        "fid": "ganbench_plugins.metrics.fid:Fid",
        "mnist-classes": "ganbench_plugins.metrics.mnist_classes:MnistClasses",
        "modes": "ganbench_plugins.metrics.modes:Modes",
        "stacked-modes": "ganbench_plugins.metrics.stacked_modes:StackedModes",
    }
