"""The Fréchet distance between normal distributions, and the moments it needs."""

import warnings

import torch
from torch import Tensor

from ganbench.api import BadInput


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
        scatter = centred.T @ centred
        if not self.count:
            self.count, self._mean, self._scatter = len(rows), mean, scatter
            return
        total = self.count + len(rows)
        shift = mean - self._mean
        between = shift.outer(shift) * (self.count * len(rows) / total)
        self._scatter = self._scatter + scatter + between
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

    def warn_if_singular(self, whose: str) -> None:
        """Warn where there are too few rows for a covariance of full rank."""
        size = len(self.mean)
        if self.count <= size:
            warnings.warn(
                f"{self.count} {whose} samples give {size} features a covariance of rank "
                f"{self.count - 1} at most, and a Fréchet distance that is far too large; "
                f"use more than {size}",
                stacklevel=3,
            )

    def _require(self, count: int) -> None:
        if self.count < count:
            raise BadInput(f"a Fréchet distance needs at least 2 samples, and got {self.count}")


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return |m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2)), in float64.

    C1 C2 has the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2), which are real and not
    negative, so rounding is the only cause of a negative one and it counts as 0. A product of
    general matrices, as in `scipy.linalg.sqrtm(C1 @ C2)`, fails where a covariance is singular.
    Where an input isn't finite, neither is the distance: it is NaN.

    References:
        The Fréchet distance between multivariate normal distributions
        (Dowson and Landau, 1982), https://doi.org/10.1016/0047-259X(82)90077-X
    """
    if not all(bool(part.isfinite().all()) for part in (mean1, cov1, mean2, cov2)):
        return float("nan")
    mean1, cov1, mean2, cov2 = (part.double() for part in (mean1, cov1, mean2, cov2))
    root = _square_root(cov1)
    eigenvalues = torch.linalg.eigvalsh(root @ cov2 @ root)
    trace_of_root = eigenvalues.clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * trace_of_root
    return max(float(distance), 0.0)


def _square_root(covariance: Tensor) -> Tensor:
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    root: Tensor = (vectors * eigenvalues.clamp(min=0).sqrt()) @ vectors.T
    return root
