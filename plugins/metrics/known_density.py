"""Metrics that compare generated points with a density, and not with samples of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from ganbench.api import BadInput, Data, Estimate, Mixture, Samples, Unsupported


@dataclass
class KnownDensityMetric(ABC):
    """A metric of points whose real ones come from a known mixture.

    A subclass has its name and `wants`, the data that it can score, in words; and `score`, which
    gets all points of an evaluation, float64 [N, features] on the CPU.
    """

    name: ClassVar[str]
    wants: ClassVar[str] = (
        "points of known density with 1 or 2 features, as the data sets 'gaussian', 'ring' and "
        "'grid' have"
    )
    most_features: ClassVar[int] = 2

    _mixture: Mixture = field(init=False, repr=False, compare=False)
    _device: torch.device = field(init=False, repr=False, compare=False)
    _batches: list[Tensor] = field(init=False, repr=False, compare=False)

    @abstractmethod
    def score(self, points: Tensor) -> dict[str, Estimate]: ...

    def check(self, reference: Data) -> None:
        mixture = reference.mixture
        if mixture is None or mixture.means.shape[1] > self.most_features:
            known = "unknown" if mixture is None else "known"
            kind = "images" if reference.is_images else f"points of {known} density"
            raise Unsupported(
                f"{self.name} needs {self.wants}; it was given {kind} of shape {reference.shape}"
            )
        self._mixture = Mixture(mixture.means.double().cpu(), mixture.std)

    def start(self, reference: Data, device: torch.device) -> None:
        self.check(reference)
        self._device = device
        self._batches = []

    def update(self, samples: Samples) -> None:
        self._batches.append(samples.double().cpu())

    def result(self) -> dict[str, Estimate]:
        points = self.points
        self._batches = []
        if len(points) < 2:
            raise BadInput(f"{self.name} needs at least 2 generated samples, and got {len(points)}")
        return self.score(points)

    @property
    def points(self) -> Tensor:
        """All that `update` gathered."""
        return torch.cat([self._mixture.means[:0], *self._batches])
