"""The shared part, on an extractor that can be worked out by hand."""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import torch

from ganbench.api import BadInput, Data
from ganbench_plugins.metrics.feature_distance import Extractor, FeatureDistance

CPU = torch.device("cpu")


@dataclass
class FirstPixel(FeatureDistance):
    """One feature: the first pixel's value."""

    batch_size: ClassVar[int] = 2
    seen: list[int] = field(default_factory=list)

    @property
    def settings(self) -> tuple[str, ...]:
        return ("first-pixel",)

    def check(self, reference: Data) -> None: ...

    def extractor(self, device: torch.device) -> Extractor:
        def extract(images: torch.Tensor) -> torch.Tensor:
            self.seen.append(len(images))
            return images[:, 0, 0, :1].float()

        return extract


def images(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.uint8)[:, None, None, None]


def started(*reference: int) -> FirstPixel:
    metric = FirstPixel()
    metric.start(Data(images(*reference), "all"), CPU)
    return metric


def test_the_distance_is_that_of_the_features() -> None:
    metric = started(0, 2)  # mean 1, variance 2
    metric.update(images(10, 14))  # mean 12, variance 8
    # (12 - 1)^2 + (sqrt 8 - sqrt 2)^2
    assert metric.result() == {"fd": pytest.approx(121 + 2, rel=1e-14)}


def test_result_starts_anew() -> None:
    metric = started(0, 2)
    metric.update(images(10, 14, 90))
    metric.result()
    metric.update(images(0, 2))
    assert metric.result() == {"fd": pytest.approx(0, abs=1e-14)}


def test_the_extractor_gets_batches_of_one_size_however_samples_come() -> None:
    metric = started(0, 2)
    metric.seen.clear()
    for part in torch.split(images(1, 2, 3, 4, 5), [1, 3, 1]):
        metric.update(part)
    metric.result()
    assert metric.seen == [2, 2, 1]


def test_batches_do_not_change_the_result() -> None:
    metric = started(0, 2)
    values = images(*range(0, 200, 7))
    metric.update(values)
    at_once = metric.result()
    for part in torch.split(values, 3):
        metric.update(part)
    assert metric.result() == at_once


def test_an_evaluation_without_samples_is_refused() -> None:
    with pytest.raises(BadInput, match="at least 2 samples, and got 0"):
        started(0, 2).result()


def test_state_is_no_hyper_parameter() -> None:
    assert repr(started(0, 2)) == "FirstPixel(seen=[2])"
