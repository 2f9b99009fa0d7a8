import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.api import BadInput, Data, Mixture, Unsupported
from ganbench_plugins.datasets.mixtures import Gaussian, Grid, Ring
from ganbench_plugins.metrics.fd_points import FdPoints, mixture_moments

CPU = torch.device("cpu")


def mixture(means: list[list[float]], std: float) -> Mixture:
    return Mixture(torch.tensor(means, dtype=torch.float64), std)


def checked(reference: Data) -> FdPoints:
    metric = FdPoints()
    metric.check(reference)
    return metric


def known(count: int = 10) -> Data:
    """Two modes at -3 and 3 on the first axis: mean 0, covariance diag(4 + 9, 4)."""
    density = mixture([[-3, 0], [3, 0]], std=2)
    return Data(density.draw(count, torch.Generator().manual_seed(0)), "train", mixture=density)


def test_the_moments_of_a_mixture_by_hand() -> None:
    moments = mixture_moments(known().mixture)
    assert moments.mean.tolist() == [0, 0]
    assert moments.covariance.tolist() == [[13, 0], [0, 4]]


def test_the_moments_of_a_mixture_are_those_of_many_samples() -> None:
    density = mixture([[0, 1], [2, -1], [5, 5]], std=0.5)
    rows = density.draw(400_000, torch.Generator().manual_seed(0)).numpy()
    moments = mixture_moments(density)
    np.testing.assert_allclose(moments.mean, rows.mean(0), atol=0.02)
    np.testing.assert_allclose(moments.covariance, np.cov(rows, rowvar=False), atol=0.05)


def test_a_known_density_is_taken_exactly_whatever_was_drawn_from_it() -> None:
    metric = checked(known(count=3))
    assert metric.settings == ("exact-reference",)
    metric.start(known(count=3), CPU)
    # Mean (1, 0), covariance diag(32/3, 2/3).
    metric.update(torch.tensor([[-3.0, 0.0], [5.0, 0.0], [1.0, 1.0], [1.0, -1.0]]))
    expected = 1 + (math.sqrt(13) - math.sqrt(32 / 3)) ** 2 + (2 - math.sqrt(2 / 3)) ** 2
    assert metric.result()["fd"].value == pytest.approx(expected, rel=1e-12)


def test_elsewhere_the_samples_are_the_reference() -> None:
    reference = Data(torch.tensor([[0.0], [2.0]]), "all")  # mean 1, variance 2
    metric = checked(reference)
    assert metric.settings == ("sample-reference",)
    metric.start(reference, CPU)
    metric.update(torch.tensor([[10.0], [14.0]]))  # mean 12, variance 8
    assert metric.result()["fd"].value == pytest.approx(123, rel=1e-12)


def test_many_samples_of_the_density_score_almost_0() -> None:
    reference = known(20_000)
    metric = checked(reference)
    metric.start(reference, CPU)
    metric.update(reference.samples)
    assert 0 < metric.result()["fd"].value < 0.01


def test_result_starts_anew_and_needs_samples() -> None:
    metric = checked(known())
    metric.start(known(), CPU)
    metric.update(known().samples)
    metric.result()
    with pytest.raises(BadInput, match="at least 2 generated samples, and got 0"):
        metric.result()


def test_images_are_refused() -> None:
    images = Data(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), "all")
    with pytest.raises(Unsupported, match=r"fd-points needs points.*images of shape \(1, 8, 8\)"):
        FdPoints().check(images)


def drawn(data: Data, mean: float, std: float, seed: int, count: int = 1000) -> tuple[float, float]:
    """The score of points of N(mean, std^2)."""
    metric = FdPoints()
    metric.start(data, CPU)
    generator = torch.Generator().manual_seed(seed)
    metric.update(mean + std * torch.randn(count, *data.shape, generator=generator))
    return metric.result()["fd"]


def test_the_noise_by_hand_on_the_line() -> None:
    """(m - 0)^2 + (s - 1)^2 moves by (2 m y + (1 - 1/s) (y^2 - s^2)) / N with a point m + y."""
    points = torch.tensor([[-1.0], [0.5], [2.0], [4.0], [2.5]])
    metric = FdPoints()
    metric.start(Gaussian(size=1).load(Path()), CPU)
    metric.update(points)
    x = points.numpy().ravel()
    y, s = x - x.mean(), x.std(ddof=1)
    moves = 2 * x.mean() * y + (1 - 1 / s) * y**2
    expected = (x.mean() ** 2 + (s - 1) ** 2, moves.std(ddof=1) / math.sqrt(5))
    assert metric.result()["fd"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("dataset", "mean", "std", "low", "high"),
    [
        (Gaussian(size=1), 0.0, 1.0, 0.95, 1.45),
        (Gaussian(size=1), 1.0, 1.0, 0.85, 1.15),
        (Gaussian(size=1), 0.0, 0.5, 0.85, 1.15),
        (Ring(size=1), 0.0, 1.0, 0.85, 1.15),
        (Grid(size=1), 1.0, 0.1, 0.85, 1.15),
    ],
)
def test_the_noise_is_the_spread_over_draws(
    dataset: Gaussian | Ring | Grid, mean: float, std: float, low: float, high: float
) -> None:
    data = dataset.load(Path())
    values, noises = np.array([drawn(data, mean, std, seed) for seed in range(300)]).T
    assert low < noises.mean() / values.std(ddof=1) < high


def test_what_a_perfect_generator_scores() -> None:
    """1.5 / N: 1 / N from the mean, and 1 / (2 N) from the standard deviation."""
    data = Gaussian(size=1).load(Path())
    values = [drawn(data, 0.0, 1.0, seed)[0] for seed in range(300)]
    assert np.mean(values) == pytest.approx(1.5 / 1000, rel=0.2)


def test_constant_points_have_a_score_without_noise() -> None:
    metric = FdPoints()
    metric.start(known(), CPU)
    metric.update(torch.zeros(10, 2))
    assert metric.result()["fd"] == pytest.approx((13 + 4, 0))
