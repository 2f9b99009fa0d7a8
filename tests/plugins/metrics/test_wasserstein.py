"""Distances against closed forms, scipy and brute force, and their noise by repetition."""

import math
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm, wasserstein_distance

from ganbench.api import BadInput, Mixture
from ganbench.choices import settle
from ganbench_plugins.datasets.mixtures import Gaussian, Grid, Ring
from ganbench_plugins.metrics.transport import in_plane, on_line, spread
from ganbench_plugins.metrics.wasserstein import Wasserstein

CPU = torch.device("cpu")
LINE = Gaussian(size=1).load(Path())
TWO = Mixture(torch.tensor([[-1.0], [3.0]], dtype=torch.float64), 0.7)


def score(data, points, **fields):
    metric = Wasserstein(**fields)
    metric.start(data, CPU)
    metric.update(points)
    return metric.result()


def values(data, points, **fields):
    return {name: estimate.value for name, estimate in score(data, points, **fields).items()}


def column(values):
    return torch.tensor(np.asarray(values), dtype=torch.float64)[:, None]


def seeded(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("mean", "std"), [(0.5, 1.0), (0.0, 2.0), (1.0, 0.5), (-3.0, 1.0)])
def test_many_quantiles_of_a_normal_have_the_normals_distance(mean, std):
    shares = (np.arange(100_000) + 0.5) / 100_000
    found = values(LINE, column(norm(mean, std).ppf(shares)))
    # The quantile functions are mean + std z and z.
    between = quad(lambda z: abs(mean + (std - 1) * z) * norm.pdf(z), -12, 12, epsabs=1e-12)[0]
    assert found["w1"] == pytest.approx(between, abs=2e-4)
    assert found["w2"] == pytest.approx(math.hypot(mean, std - 1), abs=2e-4)


@pytest.mark.parametrize("place", [0.0, 1.5, -4.0, 1e6])
def test_a_single_point(place):
    """E|a - Z| = a (2 F(a) - 1) + 2 f(a), and E(a - Z)^2 = a^2 + 1."""
    found = values(LINE, column([place, place]))
    folded = place * (2 * norm.cdf(place) - 1) + 2 * norm.pdf(place)
    assert found == pytest.approx({"w1": folded, "w2": math.hypot(place, 1)}, rel=1e-10)


@pytest.mark.parametrize("count", [2, 7, 100])
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_on_the_line_against_quadrature(count, scale):
    points = np.sort(2 + scale * seeded(count).numpy())
    shares = np.arange(1, count) / count

    def distance(x):
        real = (norm.cdf(x, -1, 0.7) + norm.cdf(x, 3, 0.7)) / 2
        return abs(np.searchsorted(points, x, side="right") / count - real)

    ends = [min(points[0], -1) - 10, *points, max(points[-1], 3) + 10]
    pieces = [quad(distance, a, b, epsabs=1e-11, limit=200)[0] for a, b in pairwise(ends)]
    assert on_line(column(points), TWO, 1).cost == pytest.approx(sum(pieces), abs=1e-8)

    grid = np.linspace(-9, 11, 400_001)
    real = (norm.cdf(grid, -1, 0.7) + norm.cdf(grid, 3, 0.7)) / 2
    density = (norm.pdf(grid, -1, 0.7) + norm.pdf(grid, 3, 0.7)) / 2
    coupled = points[np.searchsorted(shares, real)]
    squares = np.trapezoid((coupled - grid) ** 2 * density, grid)
    assert on_line(column(points), TWO, 2).cost == pytest.approx(squares, rel=1e-4)


def test_on_the_line_against_scipys_distance_of_samples():
    points = 0.4 + 1.3 * seeded(300)
    shares = (np.arange(300_000) + 0.5) / 300_000
    expected = wasserstein_distance(points.numpy(), norm.ppf(shares))
    assert values(LINE, points[:, None])["w1"] == pytest.approx(expected, abs=2e-5)


def test_on_the_line_all_points_count():
    points = column([0.0] * 10 + [5.0] * 10)
    assert values(LINE, points, fakes=10) == values(LINE, points)


@pytest.mark.parametrize("power", [1, 2])
def test_in_the_plane_against_every_assignment(power):
    points, targets = seeded(6, 2), seeded(6, 2, seed=1)
    costs = torch.linalg.vector_norm(points[:, None] - targets, dim=2).numpy() ** power
    cheapest = min(costs[range(6), order].mean() for order in map(list, permutations(range(6))))
    assert in_plane(points, targets, power).cost == pytest.approx(cheapest, rel=1e-12)


@pytest.mark.parametrize("power", [1, 2])
def test_in_the_plane_against_scipys_assignment(power):
    points, targets = 3 * seeded(300, 2), seeded(300, 2, seed=1)
    costs = torch.linalg.vector_norm(points[:, None] - targets, dim=2).numpy() ** power
    expected = costs[linear_sum_assignment(costs)].mean()
    assert in_plane(points, targets, power).cost == pytest.approx(expected, rel=1e-10)


def test_unequal_numbers_weigh_the_same_in_all():
    """Points at 0 and 6, targets at 0, 3 and 6: half of the middle one comes from each."""
    points = torch.tensor([[0.0, 0.0], [6.0, 0.0]], dtype=torch.float64)
    targets = torch.tensor([[0.0, 0.0], [3.0, 0.0], [6.0, 0.0]], dtype=torch.float64)
    assert in_plane(points, targets, 1).cost == pytest.approx(3 / 3)
    assert in_plane(points, targets, 2).cost == pytest.approx(9 / 3)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("place", ["line", "plane"])
def test_a_potential_is_what_a_points_weight_costs(place, power):
    """Each of 400 points in turn is there twice, which is 1/401 more of it."""
    targets = 1 + seeded(400, 2, seed=1)
    points, transport = {
        # Sorted, as the potentials on the line are.
        "line": ((1.5 * seeded(400) + 1).sort().values[:, None], lambda x: on_line(x, TWO, power)),
        "plane": (seeded(400, 2), lambda x: in_plane(x, targets, power)),
    }[place]
    before = transport(points)
    potentials = before.potentials - before.potentials.mean()
    picked = range(5, 400, 20)
    costs = [transport(torch.cat([points, points[i : i + 1]])).cost for i in picked]
    rises = 401 * (np.array(costs) - before.cost)
    slope, _ = np.polyfit(potentials[list(picked)], rises, 1)
    assert slope == pytest.approx(1, abs=0.05)
    assert np.corrcoef(potentials[list(picked)], rises)[0, 1] > 0.98


def test_shifted_fakes_are_as_far_as_their_shift():
    data = Ring(size=1000).load(Path())
    shifted = data.samples + torch.tensor([30.0, 40.0])
    assert values(data, shifted)["w1"] == pytest.approx(50, rel=1e-3)
    assert values(data, shifted)["w2"] == pytest.approx(50, rel=1e-3)


def test_points_that_stand_for_a_density_have_its_moments():
    mixture = Ring(size=1).load(Path()).mixture
    points = spread(mixture, 500)
    assert points.shape == (8 * 62, 2)
    offsets = (points.reshape(8, 62, 2) - mixture.means[:, None]) / mixture.std
    assert offsets.mean(1).abs().max() < 0.05
    assert (offsets.std(1) - 1).abs().max() < 0.1
    assert torch.equal(spread(mixture, 500), points)
    assert spread(mixture, 3).shape == (8, 2)  # one for each mode at least


# The mean over draws of 2,000, and the deviation.
PERFECT = [
    (Gaussian(), "w1", 0.028, 0.010),
    (Gaussian(), "w2", 0.039, 0.010),
    (Ring(), "w1", 0.057, 0.017),
    (Ring(), "w2", 0.28, 0.053),
    (Grid(), "w1", 0.149, 0.033),
    (Grid(), "w2", 0.51, 0.074),
]


@pytest.fixture(scope="module")
def perfect():
    """The scores of 4 draws of 2,000 from each density."""
    found = {}
    for dataset in (Gaussian(), Ring(), Grid()):
        data = dataset.load(Path())
        found[dataset] = [values(data, part) for part in data.samples.split(2000)[:4]]
    return found


@pytest.mark.parametrize(("dataset", "name", "expected", "deviation"), PERFECT)
def test_what_a_perfect_generator_scores(perfect, dataset, name, expected, deviation):
    found = np.mean([scores[name] for scores in perfect[dataset]])
    assert found == pytest.approx(expected, abs=4 * deviation / math.sqrt(4))


NOISES = [
    (Gaussian(size=1), 500, 0.0, 1.0, 1.0, 1.8),
    (Gaussian(size=1), 500, 0.5, 1.0, 0.85, 1.2),
    (Gaussian(size=1), 500, 0.0, 2.0, 0.85, 1.2),
    (Ring(size=1), 300, 0.0, 1.0, 0.8, 1.25),
    (Grid(size=1), 300, 0.0, 0.1, 0.8, 1.25),
]


@pytest.mark.parametrize(("dataset", "count", "mean", "std", "low", "high"), NOISES)
def test_the_noise_is_the_spread_over_draws(dataset, count, mean, std, low, high):
    data = dataset.load(Path())
    draws = mean + std * seeded(100, count, *data.shape)
    scores = [score(data, points, targets=100) for points in draws]
    for name in ("w1", "w2"):
        found, noises = np.array([each[name] for each in scores]).T
        assert low < noises.mean() / found.std(ddof=1) < high


def test_fields_and_settings():
    data = Ring(size=40).load(Path())
    assert values(data, data.samples, fakes=20) == values(data, data.samples[:20])
    assert values(data, data.samples, targets=100) != values(data, data.samples)
    metric = Wasserstein()
    metric.check(data)
    assert metric.settings == ("first-5000", "targets=500")
    metric.check(LINE)
    assert metric.settings == ("exact",)


@pytest.mark.parametrize(("name", "text"), [("fakes", "1"), ("targets", "0"), ("targets", "few")])
def test_fields_out_of_range_are_refused(name, text):
    with pytest.raises(BadInput, match=name):
        settle(Wasserstein, "metric", {name: text})
