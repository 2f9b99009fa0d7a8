"""`density-coverage`, against prdc's formulas on scikit-learn, and cases with a known answer."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from ganbench.api import BadInput, Summary
from ganbench.choices import settle
from ganbench_plugins.metrics.density_coverage import DensityCoverage


def normal(count: int, seed: int, size: int = 8, shift: float = 0, scale: float = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, size, generator=generator) + shift


def summary(values: Tensor) -> Summary:
    return Summary(len(values), {"values": values})


def score(real: Tensor, generated: Tensor, k: int = 5) -> dict[str, float]:
    estimates = DensityCoverage(k).compare(summary(real), summary(generated))
    return {name: estimate.value for name, estimate in estimates.items()}


def by_sklearn(real: Tensor, generated: Tensor, k: int) -> dict[str, float]:
    real, generated = real.double().numpy(), generated.double().numpy()
    radii = NearestNeighbors(n_neighbors=k).fit(real).kneighbors()[0][:, -1]
    apart = pairwise_distances(real, generated)
    return {
        "coverage": (apart.min(1) < radii).mean(),
        "density": pytest.approx((apart < radii[:, None]).sum(0).mean() / k, rel=1e-12),
    }


def test_its_contract() -> None:
    metric = DensityCoverage()
    assert list(metric.directions.items()) == [("coverage", "higher"), ("density", "higher")]
    assert (metric.needs, metric.settings, metric.least_samples) == ({"values"}, ("k=5",), 6)
    assert DensityCoverage(7).settings == ("k=7",)
    assert DensityCoverage(7).least_samples == 8


@pytest.mark.parametrize("k", [1, 5, 10])
@pytest.mark.parametrize("size", [2, 64])
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (0.2, 1), (0, 0.8), (0, 1.3)])
def test_it_is_that_of_prdc_s_formulas(k: int, size: int, shift: float, scale: float) -> None:
    real, generated = normal(230, 1, size), normal(190, 2, size, shift, scale)
    assert score(real, generated, k) == by_sklearn(real, generated, k)


def test_by_hand() -> None:
    # k = 1. Balls of the reals at 0, 1, 10, without their edges: 1, 1, 9.
    real = torch.tensor([[0.0], [1], [10]])
    # 0.5 is in two balls, 1.5 in two (of 1 and 10), 2 in that of 10 alone, 19 in none.
    generated = torch.tensor([[0.5], [1.5], [2], [19]])
    assert score(real, generated, k=1) == {"coverage": 1, "density": 5 / 4}
    assert score(real, generated[1:], k=1) == {"coverage": 2 / 3, "density": 3 / 3}


def test_identical_sets_are_covered_and_as_dense() -> None:
    samples = normal(200, seed=1, size=64) + 100
    assert score(samples, samples.clone()) == {"coverage": 1, "density": pytest.approx(1)}


def test_disjoint_sets_have_nothing_in_common() -> None:
    assert score(normal(100, seed=1), normal(100, seed=2, shift=50)) == {
        "coverage": 0,
        "density": 0,
    }


def test_a_generator_without_fault_has_the_docstring_s_values() -> None:
    k, reals, fakes = 5, 300, 120
    drawn = [score(normal(reals, seed), normal(fakes, seed + 500), k) for seed in range(60)]
    expected = 1 - math.prod((reals - i) / (reals + fakes - i) for i in range(1, k + 1))
    assert np.mean([each["coverage"] for each in drawn]) == pytest.approx(expected, abs=0.008)
    assert np.mean([each["density"] for each in drawn]) == pytest.approx(1, abs=0.03)


def test_two_normals_have_the_coverage_of_many_samples() -> None:
    # Balls are small then: one around x has a Gamma(k) of mass, and misses all fakes with
    # probability (1 + g / p)^-k, where g / p is the ratio of the densities at x.
    shift, k, count = 1.0, 5, 2000
    x = np.linspace(-8, 8, 20_001)
    p = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    ratio = np.exp(x * shift - shift**2 / 2)
    expected = 1 - np.trapezoid(p * (1 + ratio) ** -k, x)
    drawn = [
        score(normal(count, seed, size=1), normal(count, seed + 50, size=1, shift=shift), k)
        for seed in range(8)
    ]
    assert np.mean([each["coverage"] for each in drawn]) == pytest.approx(expected, abs=0.01)
    assert np.mean([each["density"] for each in drawn]) == pytest.approx(1, abs=0.02)


def test_half_of_the_modes_is_dense_and_half_covered() -> None:
    both = torch.cat([normal(400, seed=1, size=2), normal(400, seed=2, size=2, shift=100)])
    result = score(both, normal(800, seed=3, size=2))
    assert result["density"] == pytest.approx(1, abs=0.1)
    assert result["coverage"] == pytest.approx(0.5, abs=0.01)


def test_one_sample_for_ever() -> None:
    real = normal(100, seed=1)
    assert score(real, real[:1].repeat(80, 1) + 1e-3) == by_sklearn(
        real, real[:1].repeat(80, 1) + 1e-3, 5
    )
    assert score(real, torch.zeros(80, 8) - 50) == {"coverage": 0, "density": 0}
    constant = torch.full((80, 8), 0.3)
    assert score(constant, constant) == {"coverage": 0, "density": 0}  # balls of radius 0


def test_duplicates_are_neighbours() -> None:
    # k = 1: radii 0, 0, 1, 4; the balls at 0 are empty.
    real = torch.tensor([[0.0], [0], [1], [5]])
    assert score(real, torch.tensor([[0.0], [0.5]]), k=1) == {"coverage": 1 / 4, "density": 1 / 2}


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
    real, metric = summary(normal(reals, seed=1)), DensityCoverage()
    drawn = [
        metric.compare(real, summary(normal(fakes, seed, **unlike))) for seed in range(100, 250)
    ]
    for name in metric.directions:
        values, noises = np.array([estimates[name] for estimates in drawn]).T
        assert 0.8 < np.sqrt((noises**2).mean()) / values.std(ddof=1) < 1.25, name


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_feature_that_is_no_number_makes_the_score_none(value: float) -> None:
    sound, broken = normal(50, seed=1), normal(50, seed=2)
    broken[12, 4] = value
    for pair in ((sound, broken), (broken, sound)):
        assert all(map(math.isnan, score(*pair).values()))


def test_the_same_comes_out_again_and_nothing_else_changes() -> None:
    real, generated = normal(50, seed=1), normal(60, seed=2)
    before, state = (real.clone(), generated.clone()), torch.get_rng_state()
    first, second = (DensityCoverage().compare(summary(real), summary(generated)) for _ in range(2))
    assert first == second
    assert torch.equal(real, before[0])
    assert torch.equal(generated, before[1])
    assert torch.equal(torch.get_rng_state(), state)


def test_the_fewest_samples_are_enough() -> None:
    assert set(score(normal(6, seed=1), normal(6, seed=2))) == {"coverage", "density"}


@pytest.mark.parametrize("k", ["0", "-1", "2.5", "many"])
def test_a_field_out_of_range_is_refused(k: str) -> None:
    with pytest.raises(BadInput, match="k"):
        settle(DensityCoverage, "metric", {"k": k})
