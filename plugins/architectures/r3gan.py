"""R3GAN: residual networks without normalisation."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional

from ganbench.api import Latents, Shape

from .discriminator import Discriminator
from .shapes import check_images

_SIDES = (8, 16, 32, 64)
_SLOPE = 0.2
_GAIN = math.sqrt(2 / (1 + _SLOPE**2))  # keeps the variance through leaky ReLU


@dataclass(frozen=True)
class R3GAN:
    """R3GAN's pair of networks for square images, two mirror images without any norm:

        G: 4 x 4 maps, each a learned pattern times a linear function of z; then stages of
           residual blocks, between which the side doubles; a 1 x 1 convolution to the image
        D: a 1 x 1 convolution; the same stages, between which the side is halved; the 4 x 4 maps
           weighed by a learned pattern each; linear to a logit

    A block adds 1 x 1, grouped 3 x 3 and 1 x 1 convolutions, with leaky ReLU (0.2) between and
    twice as many channels inside. Resampling is by the filter [1, 3, 3, 1]. In blocks, weights
    start from N(0, gain^2 / fan in) with gain = sqrt(2 / (1 + 0.2^2)) L^(-1/4), L = blocks in all
    (Fixup), but the last of a block at zero; elsewhere the gain is 1. G's output is linear: it
    may leave [-1, 1], and the harness cuts it off only where it makes pixels of it.

    All stages have the same width, as the paper's for CIFAR-10, stacked MNIST and ImageNet; on
    FFHQ it narrows from 64 pixels on. At its width, on 32 x 32 images, each network has 20.7
    million parameters; `r3gan:width=64` has 0.3 million and runs on a CPU.

    Args:
        latent_size: numbers in z.
        width: channels between blocks (768 on CIFAR-10).
        blocks: residual blocks in each of the log2(side / 2) - 1 stages.
        group_width: channels in each group of the 3 x 3 convolutions, of 2 `width` in all; the
            paper's cardinality is their number, 96 on CIFAR-10.

    References:
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024)
        https://arxiv.org/abs/2501.05441
    """

    version: ClassVar[int] = 1
    discriminator_mixes_samples: ClassVar[bool] = False
    discriminator_embeds: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 64
    width: Annotated[int, Ge(1)] = 768
    blocks: Annotated[int, Ge(1)] = 2
    group_width: Annotated[int, Ge(1)] = 16

    def __post_init__(self) -> None:
        if 2 * self.width % self.group_width:
            raise ValueError(
                f"group_width={self.group_width} does not divide 2 * width = {2 * self.width}"
            )

    def check(self, shape: Shape) -> None:
        check_images("r3gan", shape, _SIDES)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        channels, side, _ = shape
        stages = side.bit_length() - 2
        generator = nn.Sequential(
            _Basis(self.latent_size, self.width),
            *self._stages(stages, _Upsampling),
            _scaled(nn.Conv2d(self.width, channels, 1, bias=False)),
        )
        body = nn.Sequential(
            _scaled(nn.Conv2d(channels, self.width, 1, bias=False)),
            *self._stages(stages, _Downsampling),
            _scaled(nn.Conv2d(self.width, self.width, 4, groups=self.width, bias=False)),
            nn.Flatten(),
        )
        return generator, Discriminator(body, _scaled(nn.Linear(self.width, 1, bias=False)))

    def _stages(self, stages: int, between: type[nn.Module]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for stage in range(stages):
            layers += [between()] if stage else []
            layers += [
                _Block(self.width, self.group_width, self.blocks * stages)
                for _ in range(self.blocks)
            ]
        return layers


class _Block(nn.Module):
    def __init__(self, width: int, group_width: int, blocks_in_all: int) -> None:
        super().__init__()
        inside = 2 * width
        gain = _GAIN * blocks_in_all**-0.25
        self.residual = nn.Sequential(
            _scaled(nn.Conv2d(width, inside, 1), gain),
            nn.LeakyReLU(_SLOPE, inplace=True),
            _scaled(nn.Conv2d(inside, inside, 3, padding=1, groups=inside // group_width), gain),
            nn.LeakyReLU(_SLOPE, inplace=True),
            _scaled(nn.Conv2d(inside, width, 1, bias=False), gain=0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = x + self.residual(x)
        return total


class _Basis(nn.Module):
    """A 4 x 4 pattern for each channel, times a linear function of z."""

    def __init__(self, latent_size: int, width: int) -> None:
        super().__init__()
        self.patterns = nn.Parameter(torch.randn(width, 4, 4))
        self.strengths = _scaled(nn.Linear(latent_size, width, bias=False))

    def forward(self, latents: Latents) -> Tensor:
        strengths: Tensor = self.strengths(latents)
        return self.patterns * strengths[:, :, None, None]


class _Resampling(nn.Module):
    """The separable filter [1, 3, 3, 1] / 8, channel by channel, zeros around the map."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", torch.outer(taps, taps)[None, None], persistent=False)


class _Upsampling(_Resampling):
    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = 4 * self.kernel.expand(channels, 1, 4, 4)
        return functional.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


class _Downsampling(_Resampling):
    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, 4, 4)
        return functional.conv2d(x, kernel, stride=2, padding=1, groups=channels)


def _scaled(layer: nn.Linear | nn.Conv2d, gain: float = 1.0) -> nn.Module:
    """Draw the weights from N(0, gain^2 / fan in); biases become zero."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
