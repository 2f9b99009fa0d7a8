"""`inception-score`, against torch-fidelity's, plain numpy, and classifiers with a known score."""

import math

import numpy as np
import pytest
import torch
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

from ganbench.api import BadInput, Estimate, Summary
from ganbench.choices import settle
from ganbench_plugins.metrics.inception_score import InceptionScore


def summary(logits: torch.Tensor) -> Summary:
    return Summary(len(logits), {"logits": logits})


def estimate(metric: InceptionScore, logits: torch.Tensor) -> Estimate:
    return metric.compare(summary(torch.zeros(0, 0)), summary(logits))["is"]


def normal(count: int, seed: int, classes: int = 12) -> torch.Tensor:
    return 3 * torch.randn(count, classes, generator=torch.Generator().manual_seed(seed))


def test_its_contract() -> None:
    metric = InceptionScore()
    assert (metric.directions, metric.settings) == ({"is": "higher"}, ("splits=10",))
    assert (metric.needs, metric.least_samples) == ({"logits"}, 10)
    assert InceptionScore(splits=1).settings == ("splits=1",)


@pytest.mark.parametrize("count", [500, 503])
def test_it_is_that_of_torch_fidelity(count: int) -> None:
    logits = normal(count, seed=1)
    theirs = isc_features_to_metric(logits)[KEY_METRIC_ISC_MEAN]
    assert estimate(InceptionScore(), logits).value == pytest.approx(theirs, rel=1e-12)


def test_one_part_is_the_formula_as_it_stands() -> None:
    logits = normal(300, seed=1)
    shares = np.exp(logits.double().numpy())
    shares /= shares.sum(1, keepdims=True)
    expected = np.exp((shares * np.log(shares / shares.mean(0))).sum(1).mean())
    found = estimate(InceptionScore(splits=1), logits)
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert math.isnan(found.noise)  # one part has no spread


def test_a_classifier_that_never_tells_scores_1() -> None:
    assert estimate(InceptionScore(), torch.zeros(100, 7)) == (pytest.approx(1), pytest.approx(0))


@pytest.mark.parametrize("size", [50.0, 1e4])
def test_a_sure_classifier_scores_the_number_of_classes_in_use(size: float) -> None:
    logits = size * torch.eye(10)[torch.arange(500) % 5]  # half of the classes: the rest have 0
    assert estimate(InceptionScore(splits=1), logits).value == pytest.approx(5, rel=1e-12)
    collapsed = size * torch.eye(10)[torch.zeros(500, dtype=torch.long)]
    assert estimate(InceptionScore(), collapsed).value == pytest.approx(1)


def test_small_parts_score_too_low_by_as_much_as_it_says() -> None:
    chosen = torch.randint(20, (2000,), generator=torch.Generator().manual_seed(0))
    found = estimate(InceptionScore(), 100 * torch.eye(20)[chosen])
    expected = 20 * math.exp(-(20 - 1) / (2 * 200))
    assert abs(found.value - expected) < 4 * found.noise
    assert 20 - expected > 10 * found.noise


def test_the_order_of_the_samples_is_none_of_its_business() -> None:
    logits = 10 * torch.eye(10)[torch.arange(1000) // 100]  # parts as they come: one class each
    assert estimate(InceptionScore(), logits).value > 8


@pytest.mark.parametrize(("scale", "classes"), [(0.3, 10), (1, 30)])
def test_the_noise_is_the_spread_of_repeated_draws(scale: float, classes: int) -> None:
    draws = [scale * normal(400, seed, classes) for seed in range(300)]
    values, noises = np.array([estimate(InceptionScore(), each) for each in draws]).T
    assert 0.85 < noises.mean() / values.std(ddof=1) < 1.2


def test_the_least_number_of_samples_does() -> None:
    assert estimate(InceptionScore(), normal(10, seed=1)) == (pytest.approx(1), pytest.approx(0))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_logit_that_is_no_number_makes_the_score_none(value: float) -> None:
    logits = normal(50, seed=1)
    logits[3, 4] = value
    assert math.isnan(estimate(InceptionScore(), logits).value)


def test_the_same_comes_out_again_and_nothing_else_changes() -> None:
    logits = normal(100, seed=1)
    before, state, seeds = logits.clone(), torch.get_rng_state(), np.random.get_state()[1].copy()
    assert estimate(InceptionScore(), logits) == estimate(InceptionScore(), logits)
    assert torch.equal(logits, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == seeds).all()


@pytest.mark.parametrize("text", ["0", "-1", "ten"])
def test_a_field_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="splits"):
        settle(InceptionScore, "metric", {"splits": text})
