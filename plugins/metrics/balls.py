"""What the metrics have in common that ask which samples are near which."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.api import Direction, Estimate, Part, Summary

from .neighbours import measurable


@dataclass(frozen=True)
class Balls(ABC):
    """A metric of the balls that reach to a sample's k-th nearest neighbour of its own kind.

    A subclass gives `k` a default, and has `count`, which is asked where all distances exist.
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]]
    needs: ClassVar[frozenset[Part]] = frozenset({"values"})

    k: Annotated[int, Ge(1)]

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"k={self.k}",)

    @property
    def least_samples(self) -> int:
        return self.k + 1

    @abstractmethod
    def count(self, real: Summary, generated: Summary) -> dict[str, Estimate]: ...

    def compare(self, real: Summary, generated: Summary) -> dict[str, Estimate]:
        if not measurable(real, generated):
            return dict.fromkeys(self.directions, Estimate(float("nan")))
        return self.count(real, generated)
