"""`kid`, against torch-fidelity's, scikit-learn's kernel, and values by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

from ganbench.api import BadInput, Summary
from ganbench.choices import settle
from ganbench_plugins.metrics.kid import Kid


def normal(count: int, seed: int, size: int = 32, shift: float = 0) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) + shift


def summary(values: torch.Tensor) -> Summary:
    return Summary(len(values), {"values": values})


def kid(metric: Kid, real: torch.Tensor, generated: torch.Tensor) -> float:
    return metric.compare(summary(real), summary(generated))["kid"].value


def test_its_contract() -> None:
    metric = Kid()
    assert (metric.directions, metric.settings) == ({"kid": "lower"}, ("subsets=100x1000",))
    assert (metric.needs, metric.least_samples) == ({"values"}, 1000)
    assert Kid(subsets=7, subset_size=50).settings == ("subsets=7x50",)
    assert Kid(subset_size=50).least_samples == 50


def test_it_is_that_of_torch_fidelity_on_the_same_subsets() -> None:
    real, generated = normal(700, seed=1).relu(), normal(500, seed=2, shift=0.1).relu()
    theirs = kid_features_to_metric(
        generated, real, kid_subsets=20, kid_subset_size=200, rng_seed=2020, verbose=False
    )[KEY_METRIC_KID_MEAN]
    assert kid(Kid(20, 200), real, generated) == pytest.approx(theirs, rel=1e-4)  # float32 sums


@pytest.mark.parametrize("scale", [1, 30])  # the kernel grows by 30^6
def test_it_is_that_of_the_kernel_in_float64(scale: float) -> None:
    real, generated = scale * normal(100, seed=1), scale * normal(100, seed=2, shift=0.2)
    x, y = real.double().numpy(), generated.double().numpy()
    others = ~np.eye(100, dtype=bool)
    xx, yy, xy = (
        polynomial_kernel(a, b, degree=3, coef0=1) for a, b in ((x, x), (y, y), (x, y))
    )  # its gamma is 1 / features
    expected = xx[others].mean() + yy[others].mean() - 2 * xy.mean()
    assert kid(Kid(1, 100), real, generated) == pytest.approx(expected, rel=1e-6)


def test_by_hand() -> None:
    # One feature: k(a, b) = (ab + 1)^3. Reals 1, 2; generated 0, 3:
    # k(1, 2) = 27, k(0, 3) = 1, mean of k(1, 0), k(1, 3), k(2, 0), k(2, 3) = (1 + 64 + 1 + 343) / 4
    value = kid(Kid(3, 2), torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [3.0]]))
    assert value == pytest.approx(27 + 1 - 2 * 409 / 4, rel=1e-12)


def test_constant_samples_are_as_far_apart_as_two_points() -> None:
    # With d = 4 features a of 1 and b of 2: k(a, a) = 8, k(b, b) = 125, k(a, b) = 27.
    estimate = Kid(5, 10).compare(summary(torch.ones(20, 4)), summary(torch.full((20, 4), 2.0)))
    assert estimate["kid"] == (pytest.approx(8 + 125 - 2 * 27), 0)


def test_disjoint_sets_are_far_apart() -> None:
    assert kid(Kid(10, 50), normal(100, seed=1), normal(100, seed=2, shift=10)) > 1e5


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_normal_distributions_have_their_distance_without_bias(shift: float) -> None:
    # One feature, x ~ N(0, 1), y ~ N(c, 1): E k = E x^3 E y^3 + 3 E x^2 E y^2 + 3 E x E y + 1, of
    # which this remains.
    expected = (3 * shift + shift**3) ** 2 + 3 * shift**4 + 3 * shift**2
    pairs = [(normal(50, s, 1), normal(50, 1000 + s, 1, shift)) for s in range(600)]
    values = [kid(Kid(1, 50), *pair) for pair in pairs]
    assert abs(np.mean(values) - expected) < 3 * np.std(values) / math.sqrt(600)


@pytest.mark.parametrize(
    ("count", "subsets", "size", "most"), [(100, 8, 100, 1.7), (400, 20, 200, 1.4)]
)
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_noise_is_the_spread_of_repeated_draws(
    count: int, subsets: int, size: int, most: float, shift: float
) -> None:
    real, metric = summary(normal(500, seed=1, size=8)), Kid(subsets, size)
    draws = [summary(normal(count, seed, size=8, shift=shift)) for seed in range(100, 200)]
    values, noises = np.array([metric.compare(real, each)["kid"] for each in draws]).T
    assert 0.8 < noises.mean() / values.std(ddof=1) < most


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_feature_that_is_no_number_makes_the_score_none(value: float) -> None:
    sound, broken = normal(500, seed=1), normal(500, seed=2)
    broken[123, 4] = value  # a single subset of 10 may well do without it
    for pair in ((sound, broken), (broken, sound)):
        assert math.isnan(kid(Kid(1, 10), *pair))


def test_the_same_comes_out_again_and_nothing_else_changes() -> None:
    real, generated = normal(50, seed=1), normal(60, seed=2)
    before, state, seeds = generated.clone(), torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (Kid(5, 20).compare(summary(real), summary(generated)) for _ in range(2))
    assert first == second
    assert torch.equal(generated, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == seeds).all()


def test_each_field_counts() -> None:
    real, generated = normal(60, seed=1), normal(60, seed=2)
    values = {kid(metric, real, generated) for metric in (Kid(5, 20), Kid(6, 20), Kid(5, 21))}
    assert len(values) == 3


@pytest.mark.parametrize("field", [{"subsets": "0"}, {"subset_size": "1"}, {"subset_size": "x"}])
def test_a_field_out_of_range_is_refused(field: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=next(iter(field))):
        settle(Kid, "metric", field)
