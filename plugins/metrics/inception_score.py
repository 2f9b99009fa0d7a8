"""The Inception score."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from numpy.random import RandomState
from torch import Tensor

from ganbench.api import Direction, Estimate, Part, Summary

SEED = 2020  # torch-fidelity's


@dataclass(frozen=True)
class InceptionScore:
    """How sure a classifier is of each sample, and how unlike what it says of the others.

    With p(y|x) the softmax of the logits, p(y) its mean and H the entropy in nats:

        is = exp(E KL(p(y|x) | p(y))) = exp(H(p(y)) - E H(p(y|x)))

    and `is` is its mean over parts of the shuffled samples. It lies between 1 and the number of
    classes, and asks nothing about the real samples.

    A part of n = N / splits samples scores too low, by a factor down to exp(-(C - 1) / (2n)) for a
    classifier that is sure and uses C classes evenly, and nearer 1 for others: values of unequal N
    or splits do not compare. The noise is the spread over the parts, over splits^(1/2). In
    simulations with 10 and 100 classes, N = 1,000 and 5,000, and scores from near 1 to 80% of the
    classes, its mean was 0.9 to 1.2 of the true deviation; from 10 parts, a single one is off by a
    quarter.

    Args:
        splits: parts, 10 in most of the literature and 1 in StudioGAN.

    References:
        Improved Techniques for Training GANs (Salimans et al., 2016), section 4
        https://arxiv.org/abs/1606.03498
        A Note on the Inception Score (Barratt and Sharma, 2018)
        https://arxiv.org/abs/1801.01973
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {"is": "higher"}
    needs: ClassVar[frozenset[Part]] = frozenset({"logits"})
    needs_of_real: ClassVar[frozenset[Part]] = frozenset()

    splits: Annotated[int, Ge(1)] = 10

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"splits={self.splits}",)

    @property
    def least_samples(self) -> int:
        return self.splits

    def compare(self, real: Summary, generated: Summary) -> dict[str, Estimate]:
        count, logits = generated.count, generated.logits
        order = torch.from_numpy(RandomState(SEED).permutation(count)).to(logits.device)
        ends = [split * count // self.splits for split in range(self.splits + 1)]
        scores = torch.stack([score(logits[order[i:j]]) for i, j in pairwise(ends)])
        noise = float(scores.std()) / self.splits**0.5 if self.splits > 1 else float("nan")
        return {"is": Estimate(float(scores.mean()), noise)}


def score(logits: Tensor) -> Tensor:
    """exp(H(p(y)) - E H(p(y|x))), a float64 scalar."""
    log_shares = logits.double().log_softmax(1)
    shares = log_shares.exp()
    mean = shares.mean(0)
    certainty = (shares * log_shares).sum(1).mean()
    return (certainty - torch.xlogy(mean, mean).sum()).exp()
