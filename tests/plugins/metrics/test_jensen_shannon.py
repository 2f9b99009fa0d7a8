"""The divergence by hand, against quadrature, and its noise by repetition."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from ganbench.api import BadInput, Data, Mixture
from ganbench.choices import settle
from ganbench_plugins.datasets.mixtures import Gaussian, Grid, Ring
from ganbench_plugins.metrics.jensen_shannon import JensenShannon

CPU = torch.device("cpu")
LINE = Gaussian(size=1).load(Path())


def score(data, points, **fields):
    metric = JensenShannon(**fields)
    metric.start(data, CPU)
    metric.update(points)
    return metric.result()["jsd"]


def normals(count, mean=0.0, std=1.0, seed=0):
    return mean + std * torch.randn(count, 1, generator=torch.Generator().manual_seed(seed))


def of_shares(p, q):
    """The divergence of two lists of shares."""
    p, q = np.asarray(p), np.asarray(q)
    middle = (p + q) / 2
    return sum(float(np.sum(s[s > 0] * np.log(s[s > 0] / middle[s > 0]))) for s in (p, q)) / 2


def of_normals(mean, std):
    p, q = norm(), norm(mean, std)

    def integrand(x):
        middle = np.logaddexp(p.logpdf(x), q.logpdf(x)) - math.log(2)
        terms = [d.pdf(x) * (d.logpdf(x) - middle) for d in (p, q)]
        return sum(terms) / 2

    return quad(integrand, -12, 12, epsabs=1e-12, limit=200)[0]


def leave_one_out(hits, masses):
    """The jackknife's estimate and noise, point by point."""
    count = sum(hits)
    own = [index for index, each in enumerate(hits) for _ in range(each)]
    values = []
    for index in own:
        rest = list(hits)
        rest[index] -= 1
        values.append(of_shares(masses, np.array(rest) / (count - 1)))
    values = np.array(values)
    whole = of_shares(masses, np.array(hits) / count)
    noise = np.sqrt((count - 1) * np.mean((values - values.mean()) ** 2))
    return count * whole - (count - 1) * values.mean(), noise


def test_by_hand_with_three_wide_cells():
    """Cells of 2 std: [-1, 1] in the middle, and all others but two have no point."""
    points = torch.tensor([-2.0, -0.9, 0.0, 0.5, 0.99, 1.5, 2.9])[:, None]
    middle, side = norm.cdf(1) - norm.cdf(-1), norm.cdf(3) - norm.cdf(1)
    masses = [side, middle, side, 1 - middle - 2 * side]
    value, noise = leave_one_out([1, 4, 2, 0], masses)
    assert score(LINE, points, width=2.0) == pytest.approx((value, noise), rel=1e-10)


def test_in_the_plane_cells_are_squares_on_the_first_mode():
    mixture = Mixture(torch.tensor([[1.0, 1.0], [5.0, 1.0]], dtype=torch.float64), 0.5)
    points = torch.tensor([[1.2, 0.9], [0.8, 1.2], [1.0, 1.3], [5.0, 1.0]])  # sides 0.75 to 1.25
    data = Data(points, "all", mixture=mixture)
    inner, next_to_it = norm.cdf(0.5) - norm.cdf(-0.5), norm.cdf(1.5) - norm.cdf(0.5)
    masses = [inner**2 / 2, inner * next_to_it / 2, inner**2 / 2]
    masses.append(1 - sum(masses))
    assert score(data, points) == pytest.approx(leave_one_out([2, 1, 1, 0], masses), rel=1e-10)


def test_disjoint_distributions_are_log_2_apart():
    value, noise = score(LINE, normals(500, mean=100))
    assert value == pytest.approx(math.log(2), rel=1e-12)
    assert noise == pytest.approx(0, abs=1e-12)


def test_equal_distributions_are_not_apart():
    shares = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    quantiles = torch.special.ndtri(shares)[:, None]  # in each cell what belongs there
    assert score(LINE, quantiles).value == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("mean", "std"), [(0.3, 1.0), (1.0, 0.5), (0.0, 2.0), (3.0, 1.0)])
def test_with_narrow_cells_and_many_points_it_is_the_integral(mean, std):
    value, noise = score(LINE, normals(200_000, mean, std), width=0.1)
    assert value == pytest.approx(of_normals(mean, std), abs=4 * noise, rel=2e-3)


def test_wide_cells_see_less():
    """The divergence of the cells' masses under N(0, 1) and N(0.3, 1)."""
    shares = (np.arange(200_000) + 0.5) / 200_000
    points = torch.tensor(norm(0.3).ppf(shares))[:, None]
    for width, seen in ((1.0, 0.924), (0.5, 0.980), (0.25, 0.995)):
        edges = (np.arange(-80, 81) + 0.5) * width
        expected = of_shares(np.diff(norm.cdf(edges)), np.diff(norm.cdf(edges, 0.3)))
        assert expected / of_normals(0.3, 1) == pytest.approx(seen, abs=1e-3)
        assert score(LINE, points, width=width).value == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(
    ("dataset", "expected", "spread"),
    [(Gaussian(), 0.0, 0.0003), (Ring(), 0.0033, 0.0017), (Grid(), 0.0106, 0.0033)],
    ids=str,
)
def test_what_a_perfect_generator_scores(dataset, expected, spread):
    data = dataset.load(Path())
    values = [score(data, part).value for part in data.samples.split(2000)]  # 25 draws
    assert np.mean(values) == pytest.approx(expected, abs=4 * spread / 5)
    assert np.std(values, ddof=1) == pytest.approx(spread, rel=0.5)


@pytest.mark.parametrize(
    ("dataset", "mean", "std", "low", "high"),
    [
        (Gaussian(size=1), 0.0, 1.0, 0.9, 1.6),
        (Gaussian(size=1), 1.0, 0.5, 0.8, 1.2),
        (Gaussian(size=1), 0.3, 1.0, 0.8, 1.2),
        (Ring(size=1), 0.0, 1.0, 0.6, 0.9),
    ],
)
def test_the_noise_is_the_spread_over_draws(dataset, mean, std, low, high):
    data = dataset.load(Path())
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(120, 2000, *data.shape, generator=generator) * std + mean
    values, noises = np.array([score(data, points) for points in draws]).T
    assert low < noises.mean() / values.std(ddof=1) < high


def test_the_width_is_in_the_settings():
    assert JensenShannon().settings == ("cells=1-std",)
    assert JensenShannon(width=0.25).settings == ("cells=0.25-std",)


@pytest.mark.parametrize("text", ["0", "-1", "wide"])
def test_a_width_that_is_none_is_refused(text):
    with pytest.raises(BadInput, match="width"):
        settle(JensenShannon, "metric", {"width": text})
