"""The gap of discriminators that are known, against known generators."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from ganbench_plugins.datasets.mixtures import Gaussian
from ganbench_plugins.losses.hinge import Hinge
from ganbench_plugins.losses.least_squares import LeastSquares
from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.wasserstein import Wasserstein
from ganbench_plugins.metrics.optimal_discriminator import DiscriminatorGap

CPU = torch.device("cpu")
LINE = Gaussian(size=1).load(Path())
COUNT = 2000


def fakes(mean, std, count=COUNT, seed=0):
    return mean + std * torch.randn(count, 1, generator=torch.Generator().manual_seed(seed))


def log_ratio(mean, std):
    """log p/q of N(0, 1) and N(mean, std^2), in torch."""
    return lambda x: ((x - mean) / std).square() / 2 - x.square() / 2 + math.log(std)


def gap(points, discriminator, loss, data=LINE):
    metric = DiscriminatorGap()
    metric.start(data, CPU)
    for part in points.split(700):
        metric.update(part)
    metric.judge(lambda x: discriminator(x[:, 0]), loss)
    return metric.result()["d_gap"]


def best(loss, mean, std):
    return lambda x: loss.optimal_logits(log_ratio(mean, std)(x.double()))


GENERATORS = [(0.0, 1.0), (0.5, 1.0), (3.0, 1.0), (0.0, 0.5), (1.0, 0.3), (0.0, 2.0)]
LOSSES = [Minimax(), Minimax(label_smoothing=0.1), LeastSquares(), Hinge()]


@pytest.mark.parametrize(("mean", "std"), GENERATORS)
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_the_optimal_discriminator_is_near_0(loss, mean, std):
    value, noise = gap(fakes(mean, std), best(loss, mean, std), loss)
    assert value < 0.035
    assert noise < 0.012
    more, _ = gap(fakes(mean, std, 40_000), best(loss, mean, std), loss)
    assert more < 0.012


def integral(claim, mean, std):
    """The gap by quadrature, for D's claim as a function of x."""
    p, q = norm(), norm(mean, std)

    def integrand(x):
        real, fake = p.pdf(x), q.pdf(x)
        return (claim(x) - real / (real + fake)) ** 2 * (real + fake) / 2

    return math.sqrt(quad(integrand, -12, 12, limit=300)[0])


# D's logits, under `minimax`; of these the last is right for N(1, 1) alone.
DISCRIMINATORS = [
    (lambda x: 0 * x, "knows nothing"),
    (lambda x: 2 - 3 * x, "a line"),
    (lambda x: 0.5 - x + 0.5, "the best, and a half"),
    (lambda x: 1e4 + 0 * x, "all are real"),
]


@pytest.mark.parametrize(("mean", "std"), [(1.0, 1.0), (0.0, 0.5), (0.0, 2.0)])
@pytest.mark.parametrize(
    "logits", [d for d, _ in DISCRIMINATORS], ids=[n for _, n in DISCRIMINATORS]
)
def test_others_against_quadrature(logits, mean, std):
    value, noise = gap(fakes(mean, std), logits, Minimax())
    expected = integral(lambda x: expit(logits(x)), mean, std)
    assert value == pytest.approx(expected, abs=4 * noise + 2e-3)


def test_fakes_far_from_all_that_is_real_count_as_points():
    """Half of all is fake, and claimed to be real; the real half is claimed as such, rightly."""
    value, noise = gap(fakes(1e6, 1.0), lambda x: torch.full_like(x, 1e4), Minimax())
    assert value == pytest.approx(math.sqrt(1 / 2), rel=1e-6)
    assert noise == pytest.approx(0, abs=1e-9)
    apart = gap(fakes(1e6, 1.0), lambda x: 1e4 - x.clamp(0, 2e4), Minimax())
    assert apart.value == pytest.approx(0, abs=1e-5)


def test_some_far_and_some_near():
    points = torch.cat([fakes(0.0, 1.0, 1500), fakes(1e6, 1.0, 500)])
    value, noise = gap(points, lambda x: 0 * x, Minimax())
    # Near: p against 3/4 of p. Far: sure fakes, an eighth of all.
    near = 7 / 8 * (4 / 7 - 1 / 2) ** 2
    assert value == pytest.approx(math.sqrt(near + 1 / 8 / 4), abs=4 * noise)


def test_all_fakes_in_one_place():
    """D* is sure of the fakes there, and of the real ones anywhere else."""
    points = torch.full((COUNT, 1), 0.7)
    value, _ = gap(points, lambda x: 0 * x, Minimax())
    assert value == pytest.approx(0.5, abs=0.02)


def test_a_loss_without_an_optimum_has_no_value():
    assert all(map(math.isnan, gap(fakes(0.0, 1.0), lambda x: x, Wasserstein())))


def test_who_was_not_judged_has_no_value_and_a_judgement_serves_once():
    metric = DiscriminatorGap()
    metric.start(LINE, CPU)
    metric.update(fakes(0.0, 1.0))
    assert math.isnan(metric.result()["d_gap"].value)
    metric.update(fakes(0.0, 1.0))
    metric.judge(lambda x: x[:, 0], Minimax())
    assert metric.result()["d_gap"].value > 0.1
    metric.update(fakes(0.0, 1.0))
    assert math.isnan(metric.result()["d_gap"].value)


def test_what_d_is_shown_and_that_it_keeps_no_graph():
    shown = []
    scale = torch.ones((), requires_grad=True)

    def discriminator(points):
        shown.append(points)
        return scale * points[:, 0]

    metric = DiscriminatorGap()
    metric.start(LINE, CPU)
    metric.update(fakes(0.0, 1.0))
    metric.judge(discriminator, Minimax())
    (points,) = shown
    assert points.dtype == torch.float32
    assert points.shape == (1601 + COUNT, 1)
    assert not torch.isnan(torch.tensor(metric.result()["d_gap"])).any()
    assert scale.grad is None


def test_a_d_that_is_no_number_has_no_gap():
    assert math.isnan(gap(fakes(0.0, 1.0), lambda x: x * math.nan, Minimax()).value)


NOISES = [
    (1.0, 1.0, lambda x: 0 * x, 0.75, 1.2),
    (0.0, 0.5, lambda x: 0 * x, 0.75, 1.2),
    (1.0, 1.0, lambda x: 1 - x, 0.75, 1.3),
    (1.0, 1.0, log_ratio(1.0, 1.0), 1.0, 1.7),
    (0.0, 1.0, log_ratio(0.0, 1.0), 1.0, 1.7),
]


@pytest.mark.parametrize(("mean", "std", "logits", "low", "high"), NOISES)
def test_the_noise_is_the_spread_over_draws(mean, std, logits, low, high):
    scores = [gap(fakes(mean, std, seed=s), logits, Minimax()) for s in range(100)]
    values, noises = np.array(scores).T
    assert low < noises.mean() / values.std(ddof=1) < high


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.0, 1.0)])
def test_what_an_optimal_discriminator_scores(mean, std):
    """As the docstring says: 0.018 where G is perfect, and less elsewhere."""
    found = [gap(fakes(mean, std, seed=s), log_ratio(mean, std), Minimax())[0] for s in range(40)]
    assert np.mean(found) == pytest.approx({0.0: 0.018, 1.0: 0.012}[mean], abs=0.002)
