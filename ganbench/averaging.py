"""A moving average of the generator's weights, which is then what is evaluated."""

import math
from copy import deepcopy

import torch
from torch import Tensor, nn


class MovingAverage:
    """An exponential average of a network's parameters; its buffers are copied.

    Args:
        network: what is averaged; the average starts as its copy.
        half_life_kimg: after this many thousand images an old weight counts half.
        burn_in_kimg: thousand images over which the half-life rises from 0 along half a cosine,
            as in R3GAN (Huang et al., 2024, appendix).
    """

    def __init__(self, network: nn.Module, half_life_kimg: float, burn_in_kimg: float) -> None:
        self._source = network
        self._half_life = half_life_kimg * 1000
        self._burn_in = burn_in_kimg * 1000
        self.network = deepcopy(network).requires_grad_(False)

    def update(self, images_before: int, images: int) -> None:
        """Take the weights in, after a step on `images` with `images_before` seen before it."""
        risen = 1.0
        if images_before < self._burn_in:
            risen = 0.5 - 0.5 * math.cos(math.pi * images_before / self._burn_in)
        half_life = self._half_life * risen
        decay = 0.5 ** (images / half_life) if half_life else 0.0
        with torch.no_grad():
            averages: list[Tensor] = list(self.network.parameters())
            torch._foreach_lerp_(averages, list(self._source.parameters()), 1 - decay)
            for average, buffer in zip(self.network.buffers(), self._source.buffers(), strict=True):
                average.copy_(buffer)
