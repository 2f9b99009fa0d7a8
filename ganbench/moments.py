"""Mean and covariance in one pass."""

import torch
from torch import Tensor

from ganbench.errors import BadInput


class Moments:
    """Mean and covariance of rows that come in batches, in float64.

    Batches are merged by Chan, Golub and LeVeque's update, so that nothing is lost to
    cancellation where the mean is large, and memory does not grow with the number of rows.

    References:
        Algorithms for Computing the Sample Variance (Chan, Golub and LeVeque, 1983)
        https://doi.org/10.1080/00031305.1983.10483115
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean = torch.empty(0)
        self._scatter = torch.empty(0)

    def update(self, rows: Tensor) -> None:
        """Add rows, [batch, features]."""
        if not len(rows):
            return
        rows = rows.double()
        mean = rows.mean(0)
        centred = rows - mean
        if not self.count:
            self.count, self._mean, self._scatter = len(rows), mean, centred.T @ centred
            return
        total = self.count + len(rows)
        shift = mean - self._mean
        self._scatter.addmm_(centred.T, centred)
        self._scatter.addr_(shift, shift, alpha=self.count * len(rows) / total)
        self._mean = self._mean + shift * (len(rows) / total)
        self.count = total

    @property
    def mean(self) -> Tensor:
        """Float64 [features]."""
        self._require(1)
        return self._mean

    @property
    def covariance(self) -> Tensor:
        """Float64 [features, features], divided by count - 1 as `numpy.cov` does."""
        self._require(2)
        return self._scatter / (self.count - 1)

    def _require(self, count: int) -> None:
        if self.count < count:
            raise BadInput(f"moments need at least {count} samples, and got {self.count}")
