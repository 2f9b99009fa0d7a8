"""The residual networks of SNGAN for CIFAR-10."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch import Tensor, nn

from ganbench.api import Shape

from .discriminator import Discriminator
from .initialisation import Initialisation, initialise
from .layers import GlobalSum
from .normalization import NORMALIZATIONS, ImageNorm, Normalization
from .shapes import check_images

_SIDES = tuple(range(8, 65, 8))


@dataclass(frozen=True)
class ResNet:
    """SNGAN's ResNet for square images, 32 x 32 in the paper:

        G: dense to 256 maps of side/8; three residual blocks that double the side; batch norm,
           ReLU, a 3 x 3 convolution and tanh
        D: four residual blocks of 128 channels, of which the first two halve the side; ReLU, the
           sum over the map, dense to a logit

    A block adds (norm, ReLU, 3 x 3 convolution) twice to a shortcut, a 1 x 1 convolution where the
    side changes; the norm is batch norm in G and `discriminator_norm` in D, whose first block has
    neither norm nor ReLU before its first convolution. G doubles the nearest pixel before its
    first convolution, D averages after its second. As in the authors' sngan_projection and in
    WGAN-GP; mimicry upsamples bilinearly, compare_gan averages over the map instead of the sum.

    Args:
        latent_size: numbers in z.
        generator_width: channels in G (128 in WGAN-GP).
        discriminator_width: channels in D.
        discriminator_norm: `spectral` norm is on every layer of D; the others are before both
            convolutions of every block but the first.
        initialisation: `glorot`, as the authors' code, with a gain of sqrt(2) for the 3 x 3
            convolutions in blocks; `orthogonal` as StudioGAN; `normal`, N(0, 0.02). Biases are
            zero.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 4
        https://arxiv.org/abs/1802.05957
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017)
        https://arxiv.org/abs/1704.00028
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 128
    generator_width: Annotated[int, Ge(1)] = 256
    discriminator_width: Annotated[int, Ge(1)] = 128
    discriminator_norm: ImageNorm = "spectral"
    initialisation: Initialisation = "glorot"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_images("resnet", shape, _SIDES)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = _generator(shape, self.latent_size, self.generator_width)
        discriminator = _discriminator(shape, self.discriminator_width, norm)
        for network in (generator, discriminator):
            initialise(network, self.initialisation)
            for block in network.modules():
                if isinstance(block, _Block):
                    initialise(block.residual, self.initialisation, gain=math.sqrt(2))
        norm.finish(discriminator)
        return generator, discriminator


class _Block(nn.Module):
    def __init__(self, residual: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.residual = residual
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.residual(x) + self.shortcut(x)
        return total


def _generator(shape: Shape, latent_size: int, width: int) -> nn.Module:
    channels, side, _ = shape
    inner = side // 8
    return nn.Sequential(
        nn.Linear(latent_size, width * inner**2),
        nn.Unflatten(1, (width, inner, inner)),
        *(_doubling(width) for _ in range(3)),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, channels, 3, padding=1),
        nn.Tanh(),
    )


def _discriminator(shape: Shape, width: int, norm: Normalization) -> Discriminator:
    first = _Block(
        nn.Sequential(
            nn.Conv2d(shape[0], width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.AvgPool2d(2),
        ),
        nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(shape[0], width, 1)),
    )
    halving = _Block(
        nn.Sequential(_residual(width, norm), nn.AvgPool2d(2)),
        nn.Sequential(nn.Conv2d(width, width, 1), nn.AvgPool2d(2)),
    )
    flat = (_Block(_residual(width, norm), nn.Identity()) for _ in range(2))
    body = nn.Sequential(first, halving, *flat, nn.ReLU(), GlobalSum())
    return Discriminator(body, nn.Linear(width, 1))


def _doubling(width: int) -> _Block:
    # A 1 x 1 convolution and doubling the nearest pixel commute; this order is the cheap one.
    return _Block(
        _residual(width, NORMALIZATIONS["batch"], nn.Upsample(scale_factor=2)),
        nn.Sequential(nn.Conv2d(width, width, 1), nn.Upsample(scale_factor=2)),
    )


def _residual(width: int, norm: Normalization, *resampling: nn.Module) -> nn.Sequential:
    """(Norm, ReLU, convolution) twice; biases are kept before batch norm, as in the source."""
    return nn.Sequential(
        norm.of_maps(width),
        nn.ReLU(),
        *resampling,
        nn.Conv2d(width, width, 3, padding=1),
        norm.of_maps(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1),
    )
