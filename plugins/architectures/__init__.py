"""The bundled architectures: pairs of a generator and a discriminator."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_architectures() -> dict[str, str]:
    return {
        "conv-autoencoder": "ganbench_plugins.architectures.conv_autoencoder:ConvAutoencoder",
        "dcgan": "ganbench_plugins.architectures.dcgan:DCGAN",
        "infogan-conv": "ganbench_plugins.architectures.infogan_conv:InfoGANConv",
        "mlp": "ganbench_plugins.architectures.mlp:MLP",
        "mlp-autoencoder": "ganbench_plugins.architectures.mlp_autoencoder:MLPAutoencoder",
        "r3gan": "ganbench_plugins.architectures.r3gan:R3GAN",
        "resnet": "ganbench_plugins.architectures.resnet:ResNet",
        "sndcgan": "ganbench_plugins.architectures.sndcgan:SNDCGAN",
    }
