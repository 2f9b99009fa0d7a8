"""The bundled metrics, registered by the door that any other package uses."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_metrics() -> dict[str, str]:
    return {
        "classes": "ganbench_plugins.metrics.classes:Classes",
        "density-coverage": "ganbench_plugins.metrics.density_coverage:DensityCoverage",
        "fd": "ganbench_plugins.metrics.fd:Fd",
        "fd-infinity": "ganbench_plugins.metrics.fd_infinity:FdInfinity",
        "fd-points": "ganbench_plugins.metrics.fd_points:FdPoints",
        "fid": "ganbench_plugins.metrics.fid:Fid",
        "fid-infinity": "ganbench_plugins.metrics.fid:FidInfinity",
        "inception-score": "ganbench_plugins.metrics.inception_score:InceptionScore",
        "jensen-shannon": "ganbench_plugins.metrics.jensen_shannon:JensenShannon",
        "kid": "ganbench_plugins.metrics.kid:Kid",
        "modes": "ganbench_plugins.metrics.modes:Modes",
        "optimal-discriminator": "ganbench_plugins.metrics.optimal_discriminator:DiscriminatorGap",
        "precision-recall": "ganbench_plugins.metrics.precision_recall:PrecisionRecall",
        "stacked-modes": "ganbench_plugins.metrics.stacked_modes:StackedModes",
        "wasserstein": "ganbench_plugins.metrics.wasserstein:Wasserstein",
    }
