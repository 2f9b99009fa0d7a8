"""How the generated images spread over a data set's classes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from ganbench.api import BadInput, Data, Direction, Samples

from .batching import FixedBatches
from .precision import full_precision

Namer: TypeAlias = Callable[[Samples], Tensor]  # uint8 images to their classes, int64 [batch]


@dataclass
class ClassShares(ABC):
    """What metrics on the shares of classes have in common; a subclass adds what names a class.

    `divergence` and `coverage` are the two names in `directions`. Reference and generated images
    reach the classifier in the same uint8 form and in batches of one size.
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]]
    metric: ClassVar[str]
    divergence: ClassVar[str]
    coverage: ClassVar[str]
    classes: ClassVar[int]
    batch_size: ClassVar[int] = 500

    _name: Namer = field(init=False, repr=False, compare=False)
    _batches: FixedBatches = field(init=False, repr=False, compare=False)
    _real_shares: Tensor = field(init=False, repr=False, compare=False)
    _counts: Tensor = field(init=False, repr=False, compare=False)

    @property
    @abstractmethod
    def settings(self) -> tuple[str, ...]: ...

    @abstractmethod
    def check(self, reference: Data) -> None: ...

    @abstractmethod
    def namer(self, device: torch.device) -> Namer:
        """Return what names the class of each image in a batch on `device`."""

    def start(self, reference: Data, device: torch.device) -> None:
        self._name = self.namer(device)
        self._batches = FixedBatches(self.batch_size)
        batches = torch.split(reference.samples, self.batch_size)
        real = sum((self._count(batch.to(device)) for batch in batches), self._none())
        self._real_shares = real / real.sum()
        self._counts = self._none()

    def update(self, samples: Samples) -> None:
        for batch in self._batches.add(samples):
            self._counts += self._count(batch)

    def result(self) -> dict[str, float]:
        for batch in self._batches.rest():
            self._counts += self._count(batch)
        counts, self._counts = self._counts, self._none()
        if not counts.any():
            raise BadInput(f"{self.metric} needs at least one generated image, and got none")
        values = {
            self.divergence: kl_divergence(counts / counts.sum(), self._real_shares),
            self.coverage: float(counts.count_nonzero()),
        }
        return {name: values[name] for name in self.directions}

    def _count(self, batch: Samples) -> Tensor:
        with full_precision():
            classes = self._name(batch)
        return torch.bincount(classes.cpu(), minlength=self.classes).double()

    def _none(self) -> Tensor:
        return torch.zeros(self.classes, dtype=torch.float64)


def kl_divergence(p: Tensor, q: Tensor) -> float:
    """Return the sum of p log(p / q) in nats, where 0 log 0 is 0."""
    return float((torch.xlogy(p, p) - torch.xlogy(p, q)).sum())
