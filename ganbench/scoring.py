"""Samples in, values out: every score of a study in one pass over a set of samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from ganbench.acceleration import full_precision
from ganbench.components import (
    Discriminator,
    Estimate,
    Extractor,
    FeatureMetric,
    Loss,
    Metric,
)
from ganbench.contracts import Given
from ganbench.data import Data, Samples
from ganbench.errors import ContractBroken
from ganbench.features import Network, Part, Pass, Summary
from ganbench.randomness import random_state_kept
from ganbench.reference import References
from ganbench.scores import Column, Scale


@dataclass(frozen=True)
class Scored:
    """What a set of samples scored.

    Args:
        estimates: by the names of the columns, in their order.
        alike: all samples are the same one: a generator that has failed.
    """

    estimates: Mapping[str, Estimate]
    alike: bool

    def as_json(self) -> dict[str, Any]:
        """What the store keeps of it: a value or noise that is no number is null."""
        return {
            "metrics": {name: _sound(each.value) for name, each in self.estimates.items()},
            "noise": {name: _sound(each.noise) for name, each in self.estimates.items()},
            "alike": self.alike,
        }


class Scorer:
    """Scores sets of samples against one data set.

    Each extractor sees each sample once, whatever number of metrics compare its features, and
    the real samples only where the cache does not know them.

    Args:
        scales: as `scores.prepared` made them for this data and this number of samples.
        samples: in each set that is scored, exactly.
        drawn: how they are generated, for the names of the columns.
    """

    def __init__(
        self,
        scales: Sequence[Scale],
        data: Data,
        samples: int,
        device: torch.device,
        references: References,
        drawn: Sequence[str] = (),
    ) -> None:
        self._scales = [(scale, scale.columns(samples, data, drawn)) for scale in scales]
        self._samples = samples
        self._real = data.samples
        with random_state_kept(device):
            torch.manual_seed(0)  # what a part draws is the same in every run
            self._views = _views(scales, data, device, references)
            for metric in self._on_samples:
                given = Given(self._real)
                metric.start(data, device)
                given.check(metric)
        self._begin()

    @property
    def columns(self) -> list[Column]:
        """All columns, the headline first."""
        return [column for _, names in self._scales for column in names.values()]

    @property
    def _on_samples(self) -> list[Metric]:
        return [cast("Metric", scale.metric) for scale, _ in self._scales if not scale.extractor]

    def _begin(self) -> None:
        self._passes = [view.new_pass(self._samples) for view in self._views]
        self._first: Samples | None = None
        self._alike = True

    def update(self, samples: Samples) -> None:
        """Take in a part of the set, on the device."""
        if self._first is None:
            self._first = samples[:1]
        self._alike = self._alike and bool((samples == self._first).all())
        for one_pass in self._passes:
            one_pass.add(samples)
        given = Given(samples, self._real)
        for metric in self._on_samples:
            metric.update(samples)
            given.check(metric)

    def judge(self, discriminator: nn.Module, loss: Loss) -> None:
        """Show D to the metrics that judge it."""
        for metric in self._on_samples:
            judge = getattr(metric, "judge", None)
            if judge is not None:
                given = Given(self._real, *discriminator.parameters(), *discriminator.buffers())
                judge(cast("Discriminator", discriminator), loss)
                given.check(metric)

    def result(self) -> Scored:
        """The values of the set, when all of it has been taken in; then begin anew."""
        generated = {
            id(view.extractor): (view.real, one_pass.summary())
            for view, one_pass in zip(self._views, self._passes, strict=True)
        }
        alike = self._alike and self._samples > 1
        self._begin()
        estimates: dict[str, Estimate] = {}
        for scale, names in self._scales:
            if scale.extractor is None:
                values = cast("Metric", scale.metric).result()
            else:
                metric = cast("FeatureMetric", scale.metric)
                real, fake = generated[id(scale.extractor)]
                given = Given(*real.tensors.values(), *fake.tensors.values())
                with full_precision():
                    values = metric.compare(real, fake)
                given.check(metric)
            _check_names(scale.metric, values)
            for key, value in values.items():
                estimates[names[key].name] = _estimate(scale.metric, key, value)
        ordered = {column.name: estimates[column.name] for column in self.columns}
        return Scored(ordered, alike)


@dataclass(frozen=True)
class _View:
    """An extractor at work, and what it saw in the real samples."""

    extractor: Extractor
    network: Network
    parts: frozenset[Part]  # of what is generated
    real: Summary

    def new_pass(self, samples: int) -> Pass:
        return Pass(
            self.network, self.extractor.batch_size, self.parts, samples, type(self.extractor)
        )


def _views(
    scales: Sequence[Scale], data: Data, device: torch.device, references: References
) -> list[_View]:
    of_extractor: dict[int, list[Scale]] = {}
    for scale in scales:
        if scale.extractor is not None:
            of_extractor.setdefault(id(scale.extractor), []).append(scale)
    views = []
    for group in of_extractor.values():
        extractor = cast("Extractor", group[0].extractor)
        metrics = [cast("FeatureMetric", scale.metric) for scale in group]
        parts = frozenset[Part]().union(*(m.needs for m in metrics))
        of_real = frozenset[Part]().union(*(getattr(m, "needs_of_real", m.needs) for m in metrics))
        network = extractor.load(device)
        real = references.summary(group[0], network, data, of_real, device)
        views.append(_View(extractor, network, parts, real))
    return views


def _check_names(metric: Metric | FeatureMetric, values: Mapping[str, float | Estimate]) -> None:
    if not isinstance(values, Mapping):
        raise ContractBroken(type(metric), f"has to return values by name; it returned {values!r}")
    if set(values) != set(metric.directions):
        expected = ", ".join(metric.directions)
        found = ", ".join(map(str, values)) or "none"
        raise ContractBroken(
            type(metric), f"has to return values for {expected}; it returned {found}"
        )


def _sound(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _estimate(metric: Metric | FeatureMetric, key: str, value: float | Estimate) -> Estimate:
    pair = value if isinstance(value, Estimate) else Estimate(value)
    try:
        return Estimate(*(float(number) for number in pair))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ContractBroken(
            type(metric), f"has to return a number for {key}; it returned {value!r}"
        ) from error
