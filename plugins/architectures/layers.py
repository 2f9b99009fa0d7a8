"""Layers that torch lacks."""

from torch import Tensor, nn


class Affine(nn.Module):
    """scale * x + shift, with fixed numbers: from one range of pixel values to another."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.scale = scale
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x + self.shift


class GlobalSum(nn.Module):
    """The sum over a map's pixels: [batch, channels, height, width] -> [batch, channels]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3))
