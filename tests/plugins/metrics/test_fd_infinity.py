"""`fd-infinity`: its arithmetic, its bias and its noise, on distributions at a known distance."""

import math

import numpy as np
import pytest
import torch

from ganbench.api import BadInput, Features, Summary
from ganbench.choices import settle
from ganbench.features import Gatherer
from ganbench_plugins.metrics import fd_infinity
from ganbench_plugins.metrics.fd import Fd
from ganbench_plugins.metrics.fd_infinity import FdInfinity

SIZE = 16


def normal(count: int, generator: torch.Generator, scale: float = 1) -> torch.Tensor:
    return scale * torch.randn(count, SIZE, generator=generator)


def summary(rows: torch.Tensor) -> Summary:
    gatherer = Gatherer({"moments", "values"}, len(rows))
    gatherer.add(Features(rows))
    return gatherer.summary()


def exact(std: float) -> Summary:
    """The reference of a normal distribution itself."""
    moments = {
        "mean": torch.zeros(SIZE, dtype=torch.float64),
        "covariance": std**2 * torch.eye(SIZE, dtype=torch.float64),
    }
    return Summary(10_000, moments)


def numpy_distance(real: Summary, rows: np.ndarray) -> float:
    """The distance from N(0, std^2 I), which has no matrix square root but one of C_g."""
    covariance, std = np.cov(rows, rowvar=False), real.covariance[0, 0].item() ** 0.5
    overlap = std * np.sqrt(np.linalg.eigvalsh(covariance)).sum()
    return float((rows.mean(0) ** 2).sum() + SIZE * std**2 + np.trace(covariance) - 2 * overlap)


def test_its_contract() -> None:
    metric = FdInfinity()
    assert (metric.directions, metric.settings) == ({"fd_infinity": "lower"}, ("sizes=2",))
    assert metric.needs == {"moments", "values"}
    assert (metric.least_samples, FdInfinity(sizes=5).least_samples) == (4, 10)


def test_two_sizes_are_twice_the_whole_less_the_mean_of_halves() -> None:
    real, rows = exact(1), normal(401, torch.Generator().manual_seed(0), 1.2)
    order = torch.randperm(401, generator=torch.Generator().manual_seed(fd_infinity.SEED)).numpy()
    halves = np.array_split(rows.double().numpy()[order], 2)
    assert [len(half) for half in halves] == [201, 200]
    at_half = np.mean([numpy_distance(real, half) for half in halves])
    expected = 2 * numpy_distance(real, rows.double().numpy()) - at_half
    value = FdInfinity().compare(real, summary(rows))["fd_infinity"].value
    assert value == pytest.approx(expected, rel=1e-10)


def test_more_sizes_are_fitted_by_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = summary(normal(200, torch.Generator().manual_seed(0)))
    whole = Fd().compare(exact(1), samples)["fd"].value
    monkeypatch.setattr(fd_infinity, "mean_distance", lambda *_: _[-1] * 0.5 + whole - 0.5)
    value = FdInfinity(sizes=4).compare(exact(1), samples)["fd_infinity"].value
    assert value == pytest.approx(whole - 0.5)


def test_the_number_of_sizes_counts() -> None:
    samples = summary(normal(200, torch.Generator().manual_seed(0)))
    values = {FdInfinity(k).compare(exact(1), samples)["fd_infinity"].value for k in (2, 3, 5)}
    assert len(values) == 3


@pytest.mark.parametrize(("scale", "distance"), [(1.0, 0.0), (1.3, SIZE * 0.3**2)])
@pytest.mark.parametrize("sizes", [2, 3])
def test_it_has_little_bias_and_says_its_noise(sizes: int, scale: float, distance: float) -> None:
    generator, real = torch.Generator().manual_seed(0), exact(1)
    draws = [summary(normal(5 * SIZE, generator, scale)) for _ in range(200)]
    bias = np.mean([Fd().compare(real, each)["fd"].value for each in draws]) - distance
    estimates = [FdInfinity(sizes).compare(real, each)["fd_infinity"] for each in draws]
    values, noises = np.array(estimates).T
    assert abs(values.mean() - distance) < 0.15 * bias
    assert 0.85 < noises.mean() / values.std(ddof=1) < 1.4


def test_the_order_of_the_samples_is_none_of_its_business() -> None:
    # Halves of samples that come sorted would be two clusters, far from the whole.
    generator = torch.Generator().manual_seed(0)
    clusters = torch.cat([normal(200, generator) - 5, normal(200, generator) + 5])
    real, generated = summary(clusters), summary(clusters.clone())
    assert abs(FdInfinity().compare(real, generated)["fd_infinity"].value) < 5


def test_halves_that_are_too_small_are_warned_of() -> None:
    samples = summary(normal(2 * SIZE, torch.Generator().manual_seed(0)))
    with pytest.warns(UserWarning, match="16 generated samples give 16 features"):
        estimate = FdInfinity().compare(exact(1), samples)["fd_infinity"]
    assert math.isfinite(estimate.value)


@pytest.mark.filterwarnings("ignore:.* samples give")
@pytest.mark.parametrize("sizes", [2, 3])
def test_the_least_number_of_samples_does(sizes: int) -> None:
    metric = FdInfinity(sizes)
    rows = normal(metric.least_samples, torch.Generator().manual_seed(0))
    assert math.isfinite(metric.compare(exact(1), summary(rows))["fd_infinity"].value)


def test_constant_features_have_a_score_and_nan_has_none() -> None:
    real = exact(1)
    still = FdInfinity().compare(real, summary(torch.full((40, SIZE), 2.0)))["fd_infinity"]
    assert still == (pytest.approx(SIZE * (4 + 1)), 0)
    rows = torch.zeros(40, SIZE)
    rows[3, 3] = math.nan
    assert math.isnan(FdInfinity().compare(real, summary(rows))["fd_infinity"].value)


def test_the_same_comes_out_again_and_nothing_else_changes() -> None:
    samples = summary(normal(100, torch.Generator().manual_seed(0)))
    before, state = samples.values.clone(), torch.get_rng_state()
    first, second = (FdInfinity().compare(exact(1), samples) for _ in range(2))
    assert first == second
    assert torch.equal(samples.values, before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("text", ["1", "0", "2.5", "many"])
def test_one_size_makes_no_line(text: str) -> None:
    with pytest.raises(BadInput, match="sizes"):
        settle(FdInfinity, "metric", {"sizes": text})
