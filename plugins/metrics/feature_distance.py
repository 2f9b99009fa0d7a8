"""The Fréchet distance between the features of generated and of real images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from ganbench.api import Data, Direction, Samples

from .batching import FixedBatches
from .frechet import Moments, frechet_distance
from .precision import full_precision

Extractor: TypeAlias = Callable[[Samples], Tensor]  # uint8 images to float [batch, features]


@dataclass
class FeatureDistance(ABC):
    """What every such distance shares; a subclass adds its extractor and what that can take.

    `directions` has one name, which `result` gives its value. Reference and generated images
    reach the extractor in the same uint8 form and in batches of one size.
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {"fd": "lower"}
    batch_size: ClassVar[int]

    _extract: Extractor = field(init=False, repr=False, compare=False)
    _batches: FixedBatches = field(init=False, repr=False, compare=False)
    _reference: Moments = field(init=False, repr=False, compare=False)
    _generated: Moments = field(init=False, repr=False, compare=False)

    @property
    @abstractmethod
    def settings(self) -> tuple[str, ...]: ...

    @abstractmethod
    def check(self, reference: Data) -> None: ...

    @abstractmethod
    def extractor(self, device: torch.device) -> Extractor:
        """Return the network, on `device` and in evaluation mode."""

    def start(self, reference: Data, device: torch.device) -> None:
        self._extract = self.extractor(device)
        self._batches = FixedBatches(self.batch_size)
        self._reference = Moments()
        for batch in torch.split(reference.samples, self.batch_size):
            self._gather(batch.to(device), self._reference)
        self._reference.warn_if_singular("reference")
        self._generated = Moments()

    def update(self, samples: Samples) -> None:
        for batch in self._batches.add(samples):
            self._gather(batch, self._generated)

    def result(self) -> dict[str, float]:
        for batch in self._batches.rest():
            self._gather(batch, self._generated)
        real, generated, self._generated = self._reference, self._generated, Moments()
        generated.warn_if_singular("generated")
        distance = frechet_distance(
            real.mean, real.covariance, generated.mean, generated.covariance
        )
        return dict.fromkeys(self.directions, distance)

    def _gather(self, batch: Samples, moments: Moments) -> None:
        with full_precision():
            moments.update(self._extract(batch))
