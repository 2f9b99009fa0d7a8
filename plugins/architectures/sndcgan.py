"""The standard CNN of SNGAN, alias SNDCGAN."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge
from torch import nn

from ganbench.api import Shape, Unsupported

from .discriminator import Discriminator
from .initialisation import Initialisation, initialise
from .layers import GlobalSum
from .normalization import NORMALIZATIONS, ImageNorm, Normalization
from .shapes import check_images

_SIDES = tuple(range(8, 65, 8))


@dataclass(frozen=True)
class _Variant:
    """What differs between the codes that bear the paper's name."""

    halving_doubles: bool = False  # D's channels double where the map is halved, not a layer later
    normalises_dense: bool = False  # G has batch norm and ReLU after its dense layer too
    normalises_first: bool = False  # D's norm is after its first layer too
    pools: bool = False  # D sums over the innermost map before its last layer
    slope: float = 0.1  # of D's ReLU, for negative inputs


_VARIANTS: Mapping[str, _Variant] = {
    "paper": _Variant(),
    "compare-gan": _Variant(halving_doubles=True, normalises_dense=True),
    "studiogan": _Variant(normalises_first=True, pools=True, slope=0.0),
}


@dataclass(frozen=True)
class SNDCGAN:
    """SNGAN's standard CNN for square images, at its `width` of 64:

        G: dense to 512 maps of side/8; 4 x 4 transposed convolutions to 256, 128 and 64 channels
           that double the side, each with batch norm and ReLU; a 3 x 3 convolution and tanh
        D: 3 x 3 and 4 x 4 convolutions in turn, to 64, 64, 128, 128, 256, 256 and 512 channels,
           each with leaky ReLU (0.1), of which the 4 x 4 ones halve the side; dense to a logit

    Networks of this name differ. `variant` names whose: `paper` is the table, as above;
    `compare-gan` has 64, 128, 128, 256, 256, 512, 512 channels in D, and batch norm and ReLU
    after G's dense layer too (so has chainer-gan-lib); `studiogan`, its deep_conv, has ReLU in D,
    sums over the innermost map, and with `discriminator_norm=batch:initialisation=orthogonal` is
    its DCGAN. Their batch norms' epsilon and momentum are not copied.

    Args:
        latent_size: numbers in z.
        width: channels next to the image; all others scale with it.
        discriminator_norm: `spectral` norm is on every layer of D; the others are after each
            layer but the first and the last.
        initialisation: `normal` is N(0, 0.02); biases are zero.
        variant: whose network.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 3
        https://arxiv.org/abs/1802.05957
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 128
    width: Annotated[int, Ge(1)] = 64
    discriminator_norm: ImageNorm = "spectral"
    initialisation: Initialisation = "normal"
    variant: Literal["paper", "compare-gan", "studiogan"] = "paper"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_images("sndcgan", shape, _SIDES)
        smallest = 8 * NORMALIZATIONS[self.discriminator_norm].smallest_side
        if shape[1] < smallest:
            raise Unsupported(
                f"sndcgan with {self.discriminator_norm} norm needs images of {smallest} pixels or"
                f" more: D's innermost map would be 1 pixel; the data has the shape {list(shape)}"
            )

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        variant = _VARIANTS[self.variant]
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = _generator(shape, self.latent_size, self.width, variant)
        discriminator = _discriminator(shape, self.width, norm, variant)
        initialise(generator, self.initialisation)
        initialise(discriminator, self.initialisation)
        norm.finish(discriminator)
        return generator, discriminator


def _generator(shape: Shape, latent_size: int, width: int, variant: _Variant) -> nn.Module:
    channels, side, _ = shape
    wide, inner = 8 * width, side // 8
    units = wide * inner**2
    layers: list[nn.Module] = [nn.Linear(latent_size, units, bias=not variant.normalises_dense)]
    if variant.normalises_dense:
        layers += [nn.BatchNorm1d(units), nn.ReLU(inplace=True)]
    layers += [nn.Unflatten(1, (wide, inner, inner))]
    for narrow in (4 * width, 2 * width, width):
        layers += [
            nn.ConvTranspose2d(2 * narrow, narrow, 4, 2, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.Conv2d(width, channels, 3, 1, 1), nn.Tanh())


def _discriminator(
    shape: Shape, width: int, norm: Normalization, variant: _Variant
) -> Discriminator:
    channels, side, _ = shape
    plan = []  # output channels, kernel, stride
    for wide in (width, 2 * width, 4 * width):
        plan += [(wide, 3, 1), (2 * wide if variant.halving_doubles else wide, 4, 2)]
    layers: list[nn.Module] = []
    for outputs, kernel, stride in [*plan, (8 * width, 3, 1)]:
        here = norm if layers or variant.normalises_first else NORMALIZATIONS["none"]
        layers += [
            nn.Conv2d(channels, outputs, kernel, stride, 1, bias=not here.mixes_samples),
            here.of_maps(outputs),
            nn.LeakyReLU(variant.slope, inplace=True),
        ]
        channels = outputs
    pixels = 1 if variant.pools else (side // 8) ** 2
    layers.append(GlobalSum() if variant.pools else nn.Flatten())
    return Discriminator(nn.Sequential(*layers), nn.Linear(8 * width * pixels, 1))
