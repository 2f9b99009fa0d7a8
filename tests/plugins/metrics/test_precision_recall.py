"""`precision-recall`, against torch-fidelity, NumPy, and cases with a known answer."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor
from torch_fidelity.metric_prc import prc_features_to_metric

from ganbench.api import BadInput, Summary
from ganbench.choices import settle
from ganbench_plugins.metrics.precision_recall import PrecisionRecall


def normal(count: int, seed: int, size: int = 8, shift: float = 0, scale: float = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, size, generator=generator) + shift


def summary(values: Tensor) -> Summary:
    return Summary(len(values), {"values": values})


def score(real: Tensor, generated: Tensor, k: int = 3) -> dict[str, float]:
    estimates = PrecisionRecall(k).compare(summary(real), summary(generated))
    return {name: estimate.value for name, estimate in estimates.items()}


def by_numpy(real: Tensor, generated: Tensor, k: int) -> dict[str, float]:
    def radii(values: Tensor) -> np.ndarray:
        return np.partition(cdist(values, values), k, axis=1)[:, k]  # the 0th is the sample itself

    real, generated = real.double(), generated.double()
    apart = cdist(real, generated)
    return {
        "precision": (apart <= radii(real)[:, None]).any(0).mean(),
        "recall": (apart <= radii(generated)).any(1).mean(),
    }


def test_its_contract() -> None:
    metric = PrecisionRecall()
    assert list(metric.directions.items()) == [("precision", "higher"), ("recall", "higher")]
    assert (metric.needs, metric.settings, metric.least_samples) == ({"values"}, ("k=3",), 4)
    assert PrecisionRecall(7).settings == ("k=7",)
    assert PrecisionRecall(7).least_samples == 8


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("size", [2, 64])
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (0.2, 1), (0, 0.8), (0, 1.3)])
def test_it_is_that_of_torch_fidelity_and_of_numpy(
    k: int, size: int, shift: float, scale: float
) -> None:
    real, generated = normal(230, 1, size), normal(190, 2, size, shift, scale)
    theirs = prc_features_to_metric(
        generated.double(),
        real.double(),
        prc_neighborhood=k,
        prc_batch_size=10_000,
        save_cpu_ram=False,
        verbose=False,
    )
    assert score(real, generated, k) == {
        "precision": pytest.approx(theirs["precision"], abs=1e-6),
        "recall": pytest.approx(theirs["recall"], abs=1e-6),
    }
    assert score(real, generated, k) == by_numpy(real, generated, k)


def test_by_hand() -> None:
    # k = 1. Balls of the reals at 0, 1, 10: 1, 1, 9; of the fakes at 1, 3, 20: 2, 2, 17.
    real, generated = torch.tensor([[0.0], [1], [10]]), torch.tensor([[1.0], [3], [20]])
    # 20 is 10 from 10. The real at 10 is in the ball of 20; 0 is in that of 1.
    assert score(real, generated, k=1) == {"precision": 2 / 3, "recall": 1}
    # On the edge: 2 is 1 from 1, 0 is 1 from 1.
    assert score(torch.tensor([[0.0], [1]]), torch.tensor([[2.0], [3]]), k=1) == {
        "precision": 0.5,
        "recall": 0.5,
    }


def test_identical_sets_are_perfect() -> None:
    samples = normal(200, seed=1, size=64) + 100
    assert score(samples, samples.clone()) == {"precision": 1, "recall": 1}


def test_disjoint_sets_have_nothing_in_common() -> None:
    assert score(normal(100, seed=1), normal(100, seed=2, shift=50)) == {
        "precision": 0,
        "recall": 0,
    }


def test_half_of_the_modes_is_precise_and_half_the_recall() -> None:
    both = torch.cat([normal(400, seed=1, size=2), normal(400, seed=2, size=2, shift=100)])
    result = score(both, normal(400, seed=3, size=2))
    assert result["precision"] > 0.95
    assert result["recall"] == pytest.approx(0.5, abs=0.03)


def test_one_sample_for_ever_is_precise_and_recalls_nothing() -> None:
    real = normal(100, seed=1)
    collapsed = real[:1].repeat(80, 1) + 1e-3
    assert score(real, collapsed) == {"precision": 1, "recall": 0}
    assert score(real, torch.zeros(80, 8) - 50) == {"precision": 0, "recall": 0}


def test_duplicates_are_neighbours() -> None:
    real = torch.tensor([[0.0], [0], [1], [5]])
    # k = 1: radii 0, 0, 1, 4. Fakes at 0 have the radius 0.
    assert score(real, torch.tensor([[0.0], [0], [9.5], [9.5]]), k=1) == {
        "precision": 0.5,
        "recall": 0.5,
    }


DISTRIBUTIONS = {
    "equal": {},
    "shifted": {"shift": 0.3},
    "narrow": {"scale": 0.7},
    "wide": {"scale": 1.2},
}


@pytest.mark.parametrize("unlike", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
@pytest.mark.parametrize(("reals", "fakes"), [(300, 300), (600, 200)])
def test_the_noise_is_the_spread_of_repeated_draws(
    reals: int, fakes: int, unlike: dict[str, float]
) -> None:
    real, metric = summary(normal(reals, seed=1)), PrecisionRecall()
    drawn = [
        metric.compare(real, summary(normal(fakes, seed, **unlike))) for seed in range(100, 250)
    ]
    for name, least, most in (("precision", 0.85, 1.15), ("recall", 0.7, 1.25)):
        values, noises = np.array([estimates[name] for estimates in drawn]).T
        assert least < np.sqrt((noises**2).mean()) / values.std(ddof=1) < most, name


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_feature_that_is_no_number_makes_the_score_none(value: float) -> None:
    sound, broken = normal(50, seed=1), normal(50, seed=2)
    broken[12, 4] = value
    for pair in ((sound, broken), (broken, sound)):
        assert all(map(math.isnan, score(*pair).values()))


def test_the_same_comes_out_again_and_nothing_else_changes() -> None:
    real, generated = normal(50, seed=1), normal(60, seed=2)
    before, state = (real.clone(), generated.clone()), torch.get_rng_state()
    first, second = (PrecisionRecall().compare(summary(real), summary(generated)) for _ in range(2))
    assert first == second
    assert torch.equal(real, before[0])
    assert torch.equal(generated, before[1])
    assert torch.equal(torch.get_rng_state(), state)


def test_the_fewest_samples_are_enough() -> None:
    assert set(score(normal(4, seed=1), normal(4, seed=2))) == {"precision", "recall"}


@pytest.mark.parametrize("k", ["0", "-1", "2.5", "many"])
def test_a_field_out_of_range_is_refused(k: str) -> None:
    with pytest.raises(BadInput, match="k"):
        settle(PrecisionRecall, "metric", {"k": k})
