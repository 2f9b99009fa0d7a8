"""How the generated samples spread over classes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ganbench.api import Direction, Estimate, Part, Summary

from .covering import covered_noise


@dataclass(frozen=True)
class ClassShares:
    """What metrics on the shares of classes have in common.

    `divergence` and `coverage` are the two names in `directions`.
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]]
    needs: ClassVar[frozenset[Part]] = frozenset({"class_counts"})
    divergence: ClassVar[str]
    coverage: ClassVar[str]

    @property
    def settings(self) -> tuple[str, ...]:
        return ()

    @property
    def least_samples(self) -> int:
        return 1

    def compare(self, real: Summary, generated: Summary) -> dict[str, Estimate]:
        of_real = real.class_counts.double()
        values = {
            self.divergence: divergence(generated.class_counts, of_real / of_real.sum()),
            self.coverage: covered(generated.class_counts),
        }
        return {name: values[name] for name in self.directions}


def divergence(counts: Tensor, shares: Tensor) -> Estimate:
    """KL(p || q) = sum p log(p / q) in nats, where p are the shares of `counts`, q are `shares`.

    With N samples in K classes that were hit, and l = log(p / q):

        bias     = (K - 1) / (2 N)
        variance = (sum p (l - KL)^2 - (K - 1) / N) / N + (K - 1) / (2 N^2)

    The first term of the variance, which is never taken for negative, is the delta method's without
    what p, being an estimate, adds to it. It vanishes where p = q, and there the second is all:
    2 N KL is then chi-squared. Noise is NaN where KL is infinite, because a class of which q has
    none was hit.
    """
    counts, shares = counts.double().cpu(), shares.double().cpu()
    samples, hit = float(counts.sum().clamp(min=1)), counts > 0
    p, log_ratios = counts[hit] / samples, (counts[hit] / samples / shares[hit]).log()
    value = float((p * log_ratios).sum())
    if not math.isfinite(value):
        return Estimate(value)
    chance = max(len(p) - 1, 0) / samples
    spread = float((p * (log_ratios - value).square()).sum())
    return Estimate(value, math.sqrt((max(spread - chance, 0) + chance / 2) / samples))


def covered(counts: Tensor) -> Estimate:
    """How many classes have samples; `covered_noise` where a class is hit once, or twice."""
    once, twice = (torch.ones(int((counts == times).sum())) for times in (1, 2))
    noise = covered_noise(once, twice, int(counts.sum()))
    return Estimate(float(counts.count_nonzero()), noise)
