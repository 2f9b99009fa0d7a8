"""The balls around samples that reach to a near neighbour, and which samples lie in them.

Distances are float32 with a bound on their rounding. What that leaves open is settled in float64,
and what float64 leaves open is a tie: neither the size of a block nor the device moves a result.
Memory grows with the samples, and not with their square.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.api import Estimate, Summary

from .covering import covered_noise
from .distances import Points, blocks

DEPTH = 5  # neighbours that are found at once, so that metrics of k = 3 and k = 5 share the work
SPARE = 3  # further ones that are measured exactly, should rounding have swapped some
CACHED = 2**16  # numbers that are worked on at once: 0.5 MB, which a processor's cache can hold
LARGEST = 1e15  # of the values whose squares float32 can still add up


def measurable(*sides: Summary) -> bool:
    """Whether all distances exist: no value is NaN, infinite or beyond 1e15."""
    extremes = torch.stack([extreme for side in sides for extreme in side.values.aminmax()])
    return bool((extremes.abs() < LARGEST).all())


def squared_radii(summary: Summary, k: int) -> Tensor:
    """Squared distance of each sample from its k-th nearest other one, float64 [count]."""
    depth = min(max(k, DEPTH), summary.count - 1)
    squared = summary.derived(f"nearest[{depth}]", lambda: nearest(summary.values, depth))
    return squared[:, k - 1]


def nearest(values: Tensor, depth: int) -> Tensor:
    """Squared distances of each sample from its nearest other ones, float64 [count, depth].

    A sample is no neighbour of its own by its index: a duplicate of it is one, at distance 0.
    """
    everyone = torch.arange(len(values), device=values.device)
    found, origin = _Neighbours(values, everyone, depth, torch.float32), values.mean(0)
    for rows in blocks(len(values)):
        some = Points(values[rows], origin)
        for columns in blocks(rows.start):
            bounds = some.lower_bounds(Points(values[columns], origin))
            found.add(rows, columns, bounds)
            found.add(columns, rows, bounds.T.contiguous())
        found.add(rows, rows, some.lower_bounds(some))
    squared, sure = found.measured()
    doubtful = everyone[~sure]
    for rows in blocks(len(doubtful)):
        squared[doubtful[rows]] = _nearest_in_double(values, doubtful[rows], depth)
    return squared


def _nearest_in_double(values: Tensor, which: Tensor, depth: int) -> Tensor:
    found, origin = _Neighbours(values, which, depth, torch.float64), values.mean(0).double()
    some = Points(values[which].double(), origin)
    for columns in blocks(len(values)):
        others = Points(values[columns].double(), origin)
        found.add(slice(None), columns, some.lower_bounds(others))
    squared, _ = found.measured()
    return squared


class _Neighbours:
    """The nearest samples of some, by lower bounds of their squared distances, as these come in.

    Args:
        values: [samples, features], of all samples.
        which: the indices of some of them.
        dtype: of the bounds.
    """

    def __init__(self, values: Tensor, which: Tensor, depth: int, dtype: torch.dtype) -> None:
        self._values = values
        self._which = which
        self._depth = depth
        kept = min(depth + SPARE, len(values) - 1)
        self._bounds = values.new_full((len(which), kept), math.inf, dtype=dtype)
        self._found = torch.zeros_like(self._bounds, dtype=torch.int64)

    def add(self, rows: slice, columns: slice, bounds: Tensor) -> None:
        """Consider the samples of `columns` as neighbours of some; changes `bounds`."""
        others = torch.arange(columns.start, columns.stop, device=bounds.device)
        bounds.masked_fill_(self._which[rows, None] == others, math.inf)
        kept = self._bounds.shape[1]
        bounds, found = bounds.topk(min(kept, len(others)), largest=False)
        bounds = torch.cat([self._bounds[rows], bounds], 1)
        found = torch.cat([self._found[rows], others[found]], 1)
        self._bounds[rows], best = bounds.topk(kept, largest=False)
        self._found[rows] = found.gather(1, best)

    def measured(self) -> tuple[Tensor, Tensor]:
        """Squared distances by differences in float64, and whether no other sample is nearer."""
        squared = torch.empty_like(self._bounds, dtype=torch.float64)
        step = max(1, CACHED // (squared.shape[1] * self._values.shape[1]))
        for start in range(0, len(squared), step):
            rows = slice(start, start + step)
            differences = self._values[self._found[rows]].double()
            differences -= self._values[self._which[rows], None]
            squared[rows] = differences.square_().sum(2)
        squared = squared.sort(1).values[:, : self._depth]
        farthest = squared[:, -1]
        complete = self._bounds.shape[1] == len(self._values) - 1
        return squared, (farthest <= self._bounds[:, -1]) | (farthest == 0) | complete


@dataclass(frozen=True)
class Hits:
    """Pairs of a real and a generated sample that are near each other, counted on either side.

    Args:
        of_real: how many generated samples are near a real one, int64 [real].
        of_generated: how many real samples are near a generated one, int64 [generated].
        whose: stands for the set of generated samples that are near a real one, int64 [real].
    """

    of_real: Tensor
    of_generated: Tensor
    whose: Tensor

    def covered(self) -> Estimate:
        """The share of real samples with a generated one near."""
        once, twice = (self._alike(times) for times in (1, 2))
        noise = covered_noise(once, twice, len(self.of_generated))
        real = len(self.of_real)
        return Estimate(float(self.of_real.count_nonzero()) / real, noise / real)

    def _alike(self, times: int) -> Tensor:
        """How many real samples share the very set of so many generated ones, for each set."""
        sets = self.whose[self.of_real == times]
        sizes: Tensor = sets.unique(return_counts=True)[1]
        return sizes.double()


def mean(values: Tensor) -> Estimate:
    """The mean of independent values, and its standard error."""
    values = values.double()
    return Estimate(float(values.mean()), float(values.std()) / math.sqrt(len(values)))


def hits(real: Tensor, generated: Tensor, limits: Sequence[Tensor], closed: bool) -> list[Hits]:
    """For each of `limits`, the pairs of real and generated samples within it, in one pass.

    Args:
        limits: squared distances, float64 [real, 1] or [1, generated].
        closed: whether a pair at just this distance is within.
    """
    tallies = [_Tally(limit.expand(len(real), len(generated)), closed) for limit in limits]
    origin = real.mean(0)
    for rows in blocks(len(real)):
        some = Points(real[rows], origin)
        for columns in blocks(len(generated)):
            others = Points(generated[columns], origin)
            bounds = some.lower_bounds(others)
            for tally in tallies:
                tally.add(rows, some, columns, others, bounds)
    return [tally.hits for tally in tallies]


class _Tally:
    """The pairs within `limit`, [real, generated], as blocks of them come in."""

    def __init__(self, limit: Tensor, closed: bool) -> None:
        self._limit = limit
        self._closed = closed
        real, generated = limit.shape
        self._of_real = limit.new_zeros(real, dtype=torch.int64)
        self._of_generated = limit.new_zeros(generated, dtype=torch.int64)
        self._whose = torch.zeros_like(self._of_real)
        draws = torch.Generator().manual_seed(0)
        self._tags = torch.randint(2**62, (generated,), generator=draws).to(limit.device)

    @property
    def hits(self) -> Hits:
        return Hits(self._of_real, self._of_generated, self._whose)

    def add(
        self, rows: slice, some: Points, columns: slice, others: Points, bounds: Tensor
    ) -> None:
        """Take a block in; `bounds` are lower ones of its squared distances."""
        limit = self._limit[rows, columns]
        i, j = (bounds <= limit).nonzero(as_tuple=True)
        within = bounds[i, j] + 2 * some.errors(i, others, j) < limit[i, j]
        unsure = ~within
        within[unsure] = self._settle(some, i[unsure], others, j[unsure], limit)
        i, j = i[within], j[within]
        self._of_real[rows] += torch.bincount(i, minlength=len(limit))
        self._of_generated[columns] += torch.bincount(j, minlength=limit.shape[1])
        self._whose[rows].index_add_(0, i, self._tags[columns][j])

    def _settle(self, some: Points, i: Tensor, others: Points, j: Tensor, limit: Tensor) -> Tensor:
        """Whether the pairs i, j are within, in float64."""
        limit = limit[i, j]
        rows, i = i.unique(return_inverse=True)
        columns, j = j.unique(return_inverse=True)
        some, others = some.in_double(rows), others.in_double(columns)
        squared, tie = some.squared_distances(others)[i, j], some.errors(i, others, j)
        return squared <= limit + tie if self._closed else squared < limit - tie
