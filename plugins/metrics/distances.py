"""Squared distances between samples, a block at a time, and how exact they are."""

import torch
from torch import Tensor

BLOCK = 1024  # samples on each side of a block


def blocks(count: int) -> list[slice]:
    """Cut so many samples into blocks."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]


class Points:
    """Samples whose squared distances are |x|^2 + |y|^2 - 2 x.y, a product of matrices.

    A point near all of them is the origin, so that little is lost where they are far from 0.

    Args:
        values: [points, features], float32 or float64, which is what distances then are.
        origin: [features], the same for both sides of a distance.
    """

    def __init__(self, values: Tensor, origin: Tensor) -> None:
        self._values = values
        self._origin = origin
        self._offsets = values - origin
        self._norms = self._offsets.square().sum(1)

    def in_double(self, which: Tensor) -> "Points":
        """Some of the points, in float64."""
        return Points(self._values[which].double(), self._origin.double())

    def squared_distances(self, others: "Points") -> Tensor:
        """[points, others]."""
        return self._product(others, 1.0)

    def lower_bounds(self, others: "Points") -> Tensor:
        """What the squared distances are at least, and exceed by two `errors` at most."""
        return self._product(others, 1.0 - self._rounding)

    def errors(self, which: Tensor, others: "Points", others_which: Tensor) -> Tensor:
        """What rounding can do to the squared distances of these pairs, at most."""
        return self._rounding * (self._norms[which] + others._norms[others_which])

    @property
    def _rounding(self) -> float:
        """The worst case of adding up one product a feature, three times, and of the offsets."""
        return (self._offsets.shape[1] + 16) * torch.finfo(self._offsets.dtype).eps

    def _product(self, others: "Points", share: float) -> Tensor:
        offsets, norms = others._offsets, others._norms * share
        product = torch.addmm(norms, self._offsets, offsets.T, alpha=-2)
        return product.add_((self._norms * share)[:, None])
