"""`fd`, against torch-fidelity's distance and distributions at a known one."""

import math

import pytest
import torch
from torch_fidelity.metric_fid import (
    KEY_METRIC_FID,
    fid_features_to_statistics,
    fid_statistics_to_metric,
)

from ganbench.api import Features, Summary
from ganbench.features import Gatherer
from ganbench_plugins.metrics.fd import Fd


def normal(count: int, size: int, seed: int, mean: float = 0, std: float = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return mean + std * torch.randn(count, size, generator=generator)


def summary(rows: torch.Tensor) -> Summary:
    gatherer = Gatherer({"moments"}, len(rows))
    gatherer.add(Features(rows))
    return gatherer.summary()


def test_its_contract() -> None:
    metric = Fd()
    assert (metric.directions, metric.settings) == ({"fd": "lower"}, ())
    assert (metric.needs, metric.least_samples) == ({"moments"}, 2)


def test_it_is_that_of_torch_fidelity() -> None:
    real, generated = normal(300, 24, seed=1).relu(), normal(200, 24, seed=2, mean=0.2).relu()
    statistics = [fid_features_to_statistics(rows) for rows in (real, generated)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]
    ours = Fd().compare(summary(real), summary(generated))["fd"].value
    assert ours == pytest.approx(theirs, rel=1e-5)  # its means are float32


def test_normal_distributions_at_a_known_distance() -> None:
    # Each of 4 axes: (0.5 - 0)^2 + (2 - 1)^2, up to chance and a bias of about 1/N.
    real, generated = normal(20_000, 4, seed=1), normal(20_000, 4, seed=2, mean=0.5, std=2)
    estimate = Fd().compare(summary(real), summary(generated))["fd"]
    assert abs(estimate.value - 5) < 4 * estimate.noise
    assert 0.03 < estimate.noise < 0.06  # of the means alone: 2 * 0.5 * 2 * (4 / 20,000)^(1/2)


def test_identical_sets_are_at_0_and_disjoint_ones_far_apart() -> None:
    rows = normal(100, 8, seed=1)
    assert Fd().compare(summary(rows), summary(rows))["fd"].value == pytest.approx(0, abs=1e-12)
    far = Fd().compare(summary(rows), summary(rows + 100))["fd"].value
    assert far == pytest.approx(8 * 100**2, rel=1e-6)


def test_the_reference_comes_first() -> None:
    # The reference is fixed and the noise that of the generated samples: few of them, much noise.
    few, many = summary(normal(50, 4, seed=1)), summary(normal(5000, 4, seed=2, mean=1))
    assert Fd().compare(many, few)["fd"].noise > 5 * Fd().compare(few, many)["fd"].noise


def test_fewer_samples_than_features_are_warned_of_and_scored() -> None:
    few, enough = summary(normal(8, 8, seed=1)), summary(normal(9, 8, seed=2))
    with pytest.warns(UserWarning, match="8 generated samples give 8 features a covariance"):
        estimate = Fd().compare(enough, few)["fd"]
    assert math.isfinite(estimate.value)
    assert math.isfinite(estimate.noise)
    with pytest.warns(UserWarning, match="8 real samples give 8 features a covariance"):
        Fd().compare(few, enough)


def test_the_least_number_of_samples_does() -> None:
    two = summary(normal(2, 1, seed=1))
    assert math.isfinite(Fd().compare(two, two)["fd"].noise)


def test_a_feature_that_is_no_number_makes_the_score_none() -> None:
    sound, broken = normal(50, 4, seed=1), normal(50, 4, seed=2)
    broken[7, 2] = math.nan
    for pair in ((sound, broken), (broken, sound)):
        assert math.isnan(Fd().compare(*map(summary, pair))["fd"].value)
