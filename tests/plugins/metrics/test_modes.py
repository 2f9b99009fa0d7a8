import math

import numpy as np
import pytest
import torch

from ganbench.api import BadInput, Data, Mixture, Unsupported
from ganbench_plugins.metrics.modes import Modes

CPU = torch.device("cpu")
STD = 0.5
SQUARE = Mixture(torch.tensor([[0, 0], [10, 0], [0, 10], [10, 10]], dtype=torch.float64), STD)


def square(count: int = 4) -> Data:
    return Data(SQUARE.draw(count, torch.Generator().manual_seed(0)), "train", mixture=SQUARE)


def score(*points: tuple[float, float], radius: float = 3.0) -> dict[str, float]:
    metric = Modes(radius=radius)
    metric.check(square())
    metric.start(square(), CPU)
    for point in points:
        metric.update(torch.tensor([point]))
    return {name: estimate.value for name, estimate in metric.result().items()}


def test_by_hand() -> None:
    # Three at one mode, one at another, and one that is far from all.
    result = score((0, 0), (1, 1), (0, -1.5), (10, 11), (5, 5))
    assert result == {
        "modes_covered": 2,
        "high_quality_share": 4 / 5,
        "mode_kl": pytest.approx(math.log(4) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25)),
    }


def test_a_mode_reaches_three_standard_deviations_and_no_further() -> None:
    assert score((1.5, 0))["modes_covered"] == 1
    assert score((1.51, 0))["modes_covered"] == 0
    assert score((1.07, 1.07))["modes_covered"] == 0  # in the box, out of the circle


def test_the_radius_can_be_another() -> None:
    assert score((1.51, 0), radius=4)["modes_covered"] == 1
    assert Modes(radius=4).settings == ("within-4-std",)
    assert Modes().settings == ("within-3-std",)


def test_every_mode_evenly_hit() -> None:
    result = score((0, 0), (10, 0), (0, 10), (10, 10))
    assert result == {
        "modes_covered": 4,
        "high_quality_share": 1,
        "mode_kl": pytest.approx(0, abs=1e-15),
    }


def test_one_mode_and_none_are_equally_uneven() -> None:
    assert score((0, 0))["mode_kl"] == pytest.approx(math.log(4))
    assert score((5, 5)) == {
        "modes_covered": 0,
        "high_quality_share": 0,
        "mode_kl": pytest.approx(math.log(4)),
    }


def test_a_perfect_generator_in_two_dimensions() -> None:
    metric = Modes()
    metric.start(square(), CPU)
    for batch in torch.split(square(20_000).samples, 777):
        metric.update(batch)
    result = metric.result()
    assert result["modes_covered"] == (4, 0)
    assert result["high_quality_share"].value == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert result["mode_kl"].value < 0.001


def test_the_noise_by_hand() -> None:
    metric = Modes()
    metric.start(square(), CPU)
    metric.update(torch.tensor([(0, 0), (0, 0), (0, 0), (10, 0), (0, 10), (5, 5)]).float())
    noises = {name: estimate.noise for name, estimate in metric.result().items()}
    assert noises == {
        "modes_covered": pytest.approx(math.sqrt(4 / 2 - 4 / 5), rel=1e-12),  # two are hit once
        "high_quality_share": pytest.approx(math.sqrt(5 / 6 * 1 / 6 / 6), rel=1e-12),
        # p = (3, 1, 1) / 5: the variance of log p is 0.24 (log 3)^2, less than 2 / N by chance.
        "mode_kl": pytest.approx(math.sqrt(1 / 5 / 5), rel=1e-12),
    }


def test_no_sample_of_quality_has_no_noise() -> None:
    metric = Modes()
    metric.start(square(), CPU)
    metric.update(torch.full((9, 2), 5.0))
    assert [estimate.noise for estimate in metric.result().values()] == [0, 0, 0]


GRID = Mixture(torch.cartesian_prod(*[torch.arange(-4.0, 5, 2)] * 2).double(), 0.05)


@pytest.mark.parametrize(
    ("weights", "spread"),
    [
        (torch.ones(25), 1),
        (torch.ones(25), 2),
        (0.8 ** torch.arange(25), 1),
        (torch.tensor([1.0] * 3 + [1e-3] * 22), 1),
    ],
    ids=["even", "wide", "uneven", "rare"],
)
def test_the_noise_is_the_spread_of_repeated_draws(weights: torch.Tensor, spread: float) -> None:
    metric, draws = Modes(), torch.Generator().manual_seed(0)
    metric.start(Data(GRID.draw(4, draws), "train", mixture=GRID), CPU)
    results = []
    for _ in range(150):
        modes = torch.multinomial(weights, 2500, replacement=True, generator=draws)
        offsets = torch.randn(2500, 2, generator=draws)
        metric.update(GRID.means[modes].float() + spread * GRID.std * offsets)
        results.append(metric.result())
    for name in metric.directions:
        values, noises = np.array([result[name] for result in results]).T
        predicted, observed = np.sqrt((noises**2).mean()), values.std(ddof=1)
        most = 2 if name == "modes_covered" and observed < 1 else 1.3
        assert 0.8 * observed <= predicted <= most * observed, name


def test_result_starts_anew_and_needs_samples() -> None:
    metric = Modes()
    metric.start(square(), CPU)
    metric.update(torch.zeros(3, 2))
    metric.result()
    with pytest.raises(BadInput, match="at least one generated sample, and got none"):
        metric.result()


@pytest.mark.parametrize(
    ("samples", "given"),
    [
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), r"images of shape \(1, 8, 8\)"),
        (torch.zeros(2, 2), r"points of unknown density of shape \(2,\)"),
    ],
)
def test_data_without_modes_are_refused(samples: torch.Tensor, given: str) -> None:
    with pytest.raises(Unsupported, match="modes needs data drawn from a known mixture.*" + given):
        Modes().check(Data(samples, "all"))
