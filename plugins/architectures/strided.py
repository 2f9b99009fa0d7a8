"""The layers of DCGAN, at any size from 8 x 8 to 64 x 64, for whoever stands on them.

Each 4 x 4 layer halves the map on the way in and doubles it on the way out. The innermost map is
4 to 7 pixels wide, so 28 x 28 images need no padding; for images under 16 pixels it is 2 or 3
where that gives a second level. Channels double with each halving.
"""

from torch import nn

from ganbench.api import Shape

from .normalization import Normalization

_SMALLEST_MAP = 4
_LARGEST_IMAGE = 64


def _levels(side: int) -> int:
    """How often the image is halved to reach the innermost map; 0 where it can't be."""
    smallest = _SMALLEST_MAP if side >= 4 * _SMALLEST_MAP else _SMALLEST_MAP // 2
    fitting = (n for n in range(1, 5) if smallest <= _map_side(side, n) < 2 * _SMALLEST_MAP)
    return max(fitting, default=0)


def _map_side(side: int, halvings: int) -> int:
    """The side after that many halvings; 0 where one of them would leave half a pixel."""
    return side >> halvings if side % 2**halvings == 0 else 0


SIDES = tuple(side for side in range(2 * _SMALLEST_MAP, _LARGEST_IMAGE + 1) if _levels(side))


def decoder(inputs: int, shape: Shape, width: int, norm: Normalization) -> nn.Sequential:
    """From vectors to images in [-1, 1]: transposed convolutions, ReLU and, at last, tanh."""
    channels, side, _ = shape
    levels = _levels(side)
    wide, inner = width * 2 ** (levels - 1), side // 2**levels
    layers: list[nn.Module] = [
        nn.Unflatten(1, (inputs, 1, 1)),
        nn.ConvTranspose2d(inputs, wide, inner, bias=not norm.mixes_samples),
        norm.of_maps(wide),
        nn.ReLU(inplace=True),
    ]
    for level in range(levels - 1, 0, -1):
        narrow = width * 2 ** (level - 1)
        layers += [
            nn.ConvTranspose2d(2 * narrow, narrow, 4, 2, 1, bias=not norm.mixes_samples),
            norm.of_maps(narrow),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())


def encoder(shape: Shape, width: int, norm: Normalization) -> nn.Sequential:
    """From images to the innermost map: strided convolutions and leaky ReLU (0.2)."""
    channels, side, _ = shape
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for level in range(1, _levels(side)):
        narrow = width * 2 ** (level - 1)
        layers += [
            nn.Conv2d(narrow, 2 * narrow, 4, 2, 1, bias=not norm.mixes_samples),
            norm.of_maps(2 * narrow),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    return nn.Sequential(*layers)


def readout(shape: Shape, width: int, outputs: int) -> nn.Conv2d:
    """From the innermost map to `outputs` numbers, linearly."""
    levels = _levels(shape[1])
    return nn.Conv2d(width * 2 ** (levels - 1), outputs, shape[1] // 2**levels)


def initialise_as_dcgan(network: nn.Module) -> None:
    """Weights from N(0, 0.02), batch norm's scale from N(1, 0.02)."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
