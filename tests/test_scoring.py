import math
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn

from ganbench.components import Estimate
from ganbench.data import Data
from ganbench.errors import ContractBroken
from ganbench.features import Features
from ganbench.reference import References
from ganbench.scores import Scale, Score
from ganbench.scoring import Scorer

CPU = torch.device("cpu")
REAL = Data(torch.arange(20.0).view(10, 2), "all")


class Eyes:
    """Values are the samples times `factor`; all that it sees is kept."""

    batch_size = 4

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.seen: list[torch.Tensor] = []

    def load(self, device):
        def network(samples):
            self.seen.append(samples.clone())
            return Features(samples * self.factor)

        return network


class Shift:
    """How far the mean moved, and how many values there were."""

    version: ClassVar[int] = 1
    directions: ClassVar[dict[str, str]] = {"shift": "lower", "n": "higher"}
    needs: ClassVar[frozenset[str]] = frozenset({"moments"})

    def compare(self, real, generated):
        moved = float((generated.mean - real.mean).mean())
        return {"n": generated.count, "shift": Estimate(moved, 0.5)}


class Range(Shift):
    directions: ClassVar[dict[str, str]] = {"range": "lower"}
    needs: ClassVar[frozenset[str]] = frozenset({"values"})

    def compare(self, real, generated):
        assert set(generated.tensors) == {"mean", "covariance", "evenly", "values"}
        return {"range": float(generated.values.max() - generated.values.min())}


class Misnamed(Shift):
    def compare(self, real, generated):
        return {"shift": 1.0}


class NoCache(References):
    """Looks at the real samples each time."""

    def __init__(self) -> None:
        super().__init__(Path("/dev/null"))


@pytest.fixture(autouse=True)
def extractors_without_a_recipe(monkeypatch):
    monkeypatch.setattr(References, "_recipe", lambda *_: "")


def scale(metric, extractor, label: str = "eyes") -> Scale:
    return Scale(Score(None, None, (label,)), metric, extractor)


def scored(scales, samples, pieces=(3, 4)):
    with pytest.warns(UserWarning, match="can't be kept"):
        scorer = Scorer(scales, REAL, len(samples), CPU, NoCache())
    for piece in samples.split([*pieces, len(samples) - sum(pieces)]):
        scorer.update(piece)
    return scorer, scorer.result()


FAKES = torch.arange(18.0).view(9, 2) + 4


def test_values_come_by_column_with_their_noise_the_headline_first():
    _, found = scored([scale(Shift(), Eyes())], FAKES)
    shift, count = found.estimates.items()
    assert shift == ("shift[n=9,all:10,eyes]", Estimate(float(FAKES.mean()) - 9.5, 0.5))
    assert count[0] == "n[n=9,all:10,eyes]"
    assert count[1].value == 9
    assert math.isnan(count[1].noise)


def test_metrics_of_one_extractor_share_one_pass_in_its_batches():
    eyes = Eyes()
    _, found = scored([scale(Shift(), eyes), scale(Range(), eyes)], FAKES)
    assert list(found.estimates) == [
        "shift[n=9,all:10,eyes]", "n[n=9,all:10,eyes]", "range[n=9,all:10,eyes]",
    ]  # fmt: skip
    assert [len(batch) for batch in eyes.seen] == [4, 4, 4, 2, 4, 4, 1]
    everything = torch.cat([REAL.samples[:4], REAL.samples, FAKES])  # the first batch is a probe
    assert torch.equal(torch.cat(eyes.seen), everything)


def test_each_extractor_has_its_own_features():
    one, two = Eyes(), Eyes(2.0)
    _, found = scored([scale(Shift(), one, "one"), scale(Shift(), two, "two")], FAKES)
    values = [each.value for each in found.estimates.values()]
    assert values[2] == pytest.approx(2 * values[0])


def test_each_set_is_scored_by_itself():
    eyes = Eyes()
    scorer, first = scored([scale(Shift(), eyes), scale(Range(), eyes)], FAKES)
    for shifted in (FAKES + 1, FAKES):
        scorer.update(shifted)
        last = scorer.result()
    assert last == first
    assert len(eyes.seen) == 1 + 3 + 3 * 3  # a probe, and the real samples once


@pytest.mark.parametrize(("samples", "alike"), [(torch.ones(9, 2), True), (FAKES, False)])
def test_samples_that_are_all_one_are_found_out(samples, alike):
    scorer, found = scored([scale(Shift(), Eyes())], samples)
    assert found.alike is alike
    scorer.update(FAKES)
    assert scorer.result().alike is False


def test_another_name_than_was_declared_breaks_the_contract():
    with pytest.raises(ContractBroken, match="Misnamed has to return values for shift, n; it"):
        scored([scale(Misnamed(), Eyes())], FAKES)


def test_what_is_stored_is_json():
    _, found = scored([scale(Shift(), Eyes())], FAKES)
    assert found.as_json() == {
        "metrics": {"shift[n=9,all:10,eyes]": 3.0, "n[n=9,all:10,eyes]": 9.0},
        "noise": {"shift[n=9,all:10,eyes]": 0.5, "n[n=9,all:10,eyes]": None},
        "alike": False,
    }


class Tampering:
    """A metric on samples that changes what it is told to, when it is asked to do that."""

    version: ClassVar[int] = 1
    directions: ClassVar[dict[str, str]] = {"zero": "lower"}
    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, when: str, what: str) -> None:
        self.when, self.what = when, what
        self.real = torch.empty(0)

    def start(self, reference, device):
        self.real = reference.samples
        self._may("start", samples=self.real)

    def update(self, samples):
        self._may("update", samples=samples)

    def judge(self, discriminator, loss):
        self._may("judge", weight=discriminator.weight)

    def _may(self, when: str, **given: torch.Tensor) -> None:
        if when == self.when:
            with torch.no_grad():
                {"real": self.real, **given}[self.what].add_(1)


@pytest.mark.parametrize(
    ("when", "what"),
    [("start", "real"), ("update", "samples"), ("update", "real"), ("judge", "weight")],
)
def test_a_metric_that_changes_what_it_is_given_is_refused(when, what):
    real = Data(REAL.samples.clone(), "all")
    scales = [Scale(Score(None, None, ()), Tampering(when, what), None)]

    def score() -> None:
        scorer = Scorer(scales, real, 4, CPU, NoCache())
        scorer.update(FAKES[:4].clone())
        scorer.judge(nn.Linear(2, 1), None)

    with pytest.raises(ContractBroken, match="Tampering changes its input in place"):
        score()


def test_a_metric_that_changes_what_an_extractor_saw_is_refused():
    class Centring(Shift):
        def compare(self, real, generated):
            real.mean.zero_()
            return super().compare(real, generated)

    with pytest.raises(ContractBroken, match="Centring changes its input in place"):
        scored([scale(Centring(), Eyes())], FAKES)
