"""The bundled architectures: pairs of a generator and a discriminator."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_architectures() -> dict[str, str]:
    return {
        "dcgan": "ganbench_plugins.architectures.dcgan:DCGAN",
        "mlp": "ganbench_plugins.architectures.mlp:MLP",
    }
