"""`covered_noise`, against values by hand and the spread of simulated draws."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from ganbench_plugins.metrics.covering import covered_noise


def test_by_hand() -> None:
    # F1 = 4 + 1, F2 = 9, and three things are hit by one draw alone.
    noise = covered_noise(torch.tensor([2.0, 1.0]), torch.tensor([3.0]), 10)
    assert noise == pytest.approx(math.sqrt(25 / 14 - 9 / 10), rel=1e-12)


def test_nothing_hit_just_once_is_no_noise() -> None:
    assert covered_noise(torch.zeros(0), torch.tensor([3.0]), 10) == 0
    assert covered_noise(torch.zeros(0), torch.zeros(0), 0) == 0


def test_a_thing_for_each_draw_is_no_noise() -> None:
    assert covered_noise(torch.ones(10), torch.zeros(0), 10) == 0
    assert covered_noise(torch.full((10,), 3.0), torch.zeros(0), 9) == 0  # and not the root of -1


@pytest.mark.parametrize("reach", [1, 4])
@pytest.mark.parametrize("per_thing", [0.5, 2, 4])
def test_it_is_the_spread_of_how_much_intervals_cover(reach: int, per_thing: float) -> None:
    """Each draw hits `reach` of 300 places in a row."""
    places, draws = 300, int(300 * per_thing / reach)
    random = np.random.default_rng(0)
    covered, noises = [], []
    for _ in range(200):
        starts = random.integers(places, size=draws)
        hitters = [[] for _ in range(places)]
        for draw, start in enumerate(starts):
            for place in range(start, start + reach):
                hitters[place % places].append(draw)
        sets = Counter(tuple(each) for each in hitters)
        once, twice = (
            torch.tensor([float(n) for each, n in sets.items() if len(each) == times])
            for times in (1, 2)
        )
        covered.append(places - sets[()])
        noises.append(covered_noise(once, twice, draws))
    assert 0.85 < np.mean(noises) / np.std(covered, ddof=1) < 1.3
