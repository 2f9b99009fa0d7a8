"""The bundled protocols: what stays fixed in a study."""

from ganbench.api import hookimpl


@hookimpl
def ganbench_protocols() -> dict[str, str]:
    return {
        "created-equal": "ganbench_plugins.protocols.created_equal:CreatedEqual",
        "kurach-sndcgan": "ganbench_plugins.protocols.kurach:KurachSNDCGAN",
        "mimicry-resnet": "ganbench_plugins.protocols.mimicry:MimicryResNet",
        "points": "ganbench_plugins.protocols.points:Points",
        "quick": "ganbench_plugins.protocols.quick:Quick",
        "r3gan-stacked-mnist": "ganbench_plugins.protocols.r3gan:R3GANStackedMnist",
        "sngan-cnn-a": "ganbench_plugins.protocols.sngan:SNGANCNNA",
        "sngan-cnn-b": "ganbench_plugins.protocols.sngan:SNGANCNNB",
        "sngan-cnn-c": "ganbench_plugins.protocols.sngan:SNGANCNNC",
        "sngan-cnn-d": "ganbench_plugins.protocols.sngan:SNGANCNND",
        "sngan-cnn-e": "ganbench_plugins.protocols.sngan:SNGANCNNE",
        "sngan-cnn-f": "ganbench_plugins.protocols.sngan:SNGANCNNF",
        "sngan-resnet": "ganbench_plugins.protocols.sngan:SNGANResNet",
        "studiogan-dcgan": "ganbench_plugins.protocols.studiogan:StudioGANDCGAN",
    }
