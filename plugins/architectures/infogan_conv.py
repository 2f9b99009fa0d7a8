"""The network of "Are GANs Created Equal?", which is InfoGAN's."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch import nn

from ganbench.api import Shape

from .discriminator import Discriminator
from .initialisation import initialise
from .layers import Affine
from .normalization import NORMALIZATIONS, Normalization, VectorNorm
from .shapes import check_images

_SIDES = tuple(range(8, 65, 4))


@dataclass(frozen=True)
class InfoGANConv:
    """The small network with which the paper compares losses, for square images:

        G: dense to 1024 units; dense to 128 maps of side/4; 4 x 4 transposed convolutions to 64
           channels and to the image, which double the side; sigmoid
        D: 4 x 4 convolutions to 64 and 128 channels, which halve the side; dense to 1024 units;
           dense to a logit

    Leaky ReLU (0.2) everywhere inside; batch norm after each layer of G but the last, and a norm
    after D's second and third. There, images lie in [0, 1]: G's sigmoid is stretched to the
    harness's [-1, 1], and D squeezes what it sees. z was uniform there. Weights start from
    N(0, 0.02), as in compare_gan v3 (v1 cuts this off at 0.04 for convolutions); its batch norms'
    epsilon and momentum are not copied.

    Args:
        latent_size: numbers in z.
        width: channels next to the image; all others, and the units, scale with it.
        discriminator_norm: the paper searched over `batch`, the default for most losses in its
            code, and `none`, the one for WGAN-GP and BEGAN; `batch` makes D's output for an image
            depend on the others in its batch. `spectral` norm is on every layer of D.

    References:
        Are GANs Created Equal? A Large-Scale Study (Lucic et al., 2018)
        https://arxiv.org/abs/1711.10337
        InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
        Adversarial Nets (Chen et al., 2016)
        https://arxiv.org/abs/1606.03657
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 64
    width: Annotated[int, Ge(1)] = 64
    discriminator_norm: VectorNorm = "batch"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_images("infogan-conv", shape, _SIDES)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = _generator(shape, self.latent_size, self.width)
        discriminator = _discriminator(shape, self.width, norm)
        initialise(generator, "normal")
        initialise(discriminator, "normal")
        norm.finish(discriminator)
        return generator, discriminator


def _generator(shape: Shape, latent_size: int, width: int) -> nn.Module:
    channels, side, _ = shape
    inner = side // 4
    units, values = 16 * width, 2 * width * inner**2
    return nn.Sequential(
        nn.Linear(latent_size, units, bias=False),
        nn.BatchNorm1d(units),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(units, values, bias=False),
        nn.BatchNorm1d(values),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Unflatten(1, (2 * width, inner, inner)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(0.2, inplace=True),
        nn.ConvTranspose2d(width, channels, 4, 2, 1),
        nn.Sigmoid(),
        Affine(2.0, -1.0),
    )


def _discriminator(shape: Shape, width: int, norm: Normalization) -> Discriminator:
    channels, side, _ = shape
    units, values = 16 * width, 2 * width * (side // 4) ** 2
    body = nn.Sequential(
        Affine(0.5, 0.5),
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=not norm.mixes_samples),
        norm.of_maps(2 * width),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(values, units, bias=not norm.mixes_samples),
        norm.of_vectors(units),
        nn.LeakyReLU(0.2, inplace=True),
    )
    return Discriminator(body, nn.Linear(units, 1))
