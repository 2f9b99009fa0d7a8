"""DCGAN, at any size from 8 x 8 to 64 x 64."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge
from torch import nn

from ganbench.api import Shape, Unsupported

_SMALLEST_MAP = 4
_LARGEST_IMAGE = 64


@dataclass(frozen=True)
class DCGAN:
    """DCGAN for square images: strided convolutions in D, transposed ones in G.

    Each 4 x 4 layer halves the image in D and doubles it in G. The innermost map is 4 to 7
    pixels wide, so 28 x 28 images need no padding; for images under 16 pixels it is 2 or 3 where
    that gives a second level. Channels double with each halving: `width` next to the image,
    width * 2^(n-1) inside, n = levels. G has batch norm and ReLU after each layer but the last,
    which ends in tanh; D has leaky ReLU (0.2) and, with `discriminator_norm=batch`, batch norm
    after each layer but the first and the last. Weights start from N(0, 0.02), batch norm's
    scale from N(1, 0.02).

    Args:
        latent_size: numbers in z (100 in the paper).
        width: channels of the widest map (128 in the paper's G, 64 in the usual code).
        discriminator_norm: `batch`, as in the paper, makes D's output for an image depend on the
            others in its batch; real and fake batches go through D apart. `none` leaves it out.

    References:
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford et al., 2015)
        https://arxiv.org/abs/1511.06434
    """

    version: ClassVar[int] = 1

    latent_size: Annotated[int, Ge(1)] = 100
    width: Annotated[int, Ge(1)] = 64
    discriminator_norm: Literal["batch", "none"] = "batch"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return self.discriminator_norm == "batch"

    def check(self, shape: Shape) -> None:
        if len(shape) != 3 or shape[0] not in (1, 3) or not _levels(shape):
            raise Unsupported(
                "dcgan makes square images of 1 or 3 channels with a side of 8, 10, 12, 14, 16,"
                " 20, 24, 28, 32, 40, 48, 56 or 64 pixels; the data has the shape"
                f" {list(shape)}"
            )

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        levels = _levels(shape)
        networks = (
            _generator(shape, levels, self.latent_size, self.width),
            _discriminator(shape, levels, self.width, self.discriminator_mixes_samples),
        )
        for network in networks:
            network.apply(_initialise)
        return networks


def _levels(shape: Shape) -> int:
    """How often the image is halved to reach the innermost map; 0 where it can't be."""
    _, height, width = shape
    if height != width or not 2 * _SMALLEST_MAP <= height <= _LARGEST_IMAGE:
        return 0
    smallest = _SMALLEST_MAP if height >= 4 * _SMALLEST_MAP else _SMALLEST_MAP // 2
    fitting = (n for n in range(1, 5) if smallest <= _map_side(height, n) < 2 * _SMALLEST_MAP)
    return max(fitting, default=0)


def _map_side(side: int, halvings: int) -> int:
    """The side after that many halvings; 0 where one of them would leave half a pixel."""
    return side >> halvings if side % 2**halvings == 0 else 0


def _generator(shape: Shape, levels: int, latent_size: int, width: int) -> nn.Module:
    channels, side, _ = shape
    inner = side // 2**levels
    wide = width * 2 ** (levels - 1)
    layers: list[nn.Module] = [
        nn.Unflatten(1, (latent_size, 1, 1)),
        nn.ConvTranspose2d(latent_size, wide, inner, bias=False),
        nn.BatchNorm2d(wide),
        nn.ReLU(inplace=True),
    ]
    for level in range(levels - 1, 0, -1):
        narrow = width * 2 ** (level - 1)
        layers += [
            nn.ConvTranspose2d(2 * narrow, narrow, 4, 2, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())


def _discriminator(shape: Shape, levels: int, width: int, batch_norm: bool) -> nn.Module:
    channels, side, _ = shape
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for level in range(1, levels):
        narrow = width * 2 ** (level - 1)
        layers += [
            nn.Conv2d(narrow, 2 * narrow, 4, 2, 1, bias=not batch_norm),
            *([nn.BatchNorm2d(2 * narrow)] if batch_norm else []),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    wide = width * 2 ** (levels - 1)
    return nn.Sequential(*layers, nn.Conv2d(wide, 1, side // 2**levels), nn.Flatten(0))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
