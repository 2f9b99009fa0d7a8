import math

import numpy as np
import pytest
from scipy import stats

from ganbench.statistics import FEWEST_FOR_AN_INTERVAL, mean_interval


def test_three_values_by_hand():
    """Mean 2, standard deviation 1, and t(2; 0.975) = 4.302653 from any table."""
    mean = mean_interval([1.0, 2.0, 3.0])
    assert mean.value == 2.0
    assert mean.half_width == pytest.approx(4.302652730 / math.sqrt(3), rel=1e-9)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("values", [[3.0, 1.0, 2.5], [1e8 + 1, 1e8, 1e8 + 5, 1e8 - 2], [0.1] * 5])
def test_it_is_scipys_t_interval(values, confidence):
    mean = mean_interval(values, confidence)
    assert mean.value == pytest.approx(np.mean(values), rel=1e-12)
    error = stats.sem(values)
    half = error * stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    assert mean.half_width == pytest.approx(half, rel=1e-9, abs=1e-12)


def test_equal_values_have_no_width():
    assert mean_interval([2.0] * 4) == (2.0, 0.0)


@pytest.mark.parametrize(("values", "mean"), [([4.0], 4.0), ([1.0, 2.0], 1.5)])
def test_below_three_there_is_a_mean_and_no_interval(values, mean):
    assert FEWEST_FOR_AN_INTERVAL == 3
    found = mean_interval(values)
    assert found.value == mean
    assert math.isnan(found.half_width)


def test_of_nothing_there_is_nothing():
    assert all(map(math.isnan, mean_interval([])))


def test_a_nan_is_not_hidden():
    assert all(map(math.isnan, mean_interval([1.0, math.nan, 2.0])))


@pytest.mark.parametrize("seeds", [3, 5])
def test_95_per_cent_of_the_intervals_cover_the_truth(seeds):
    """4000 studies of normal scores; four standard errors of a share of 0.95 are 0.014."""
    studies = 4000
    scores = np.random.default_rng(seeds).normal(7.0, 2.0, (studies, seeds))
    means = [mean_interval(row) for row in scores.tolist()]
    covered = sum(abs(mean.value - 7.0) <= mean.half_width for mean in means)
    assert abs(covered / studies - 0.95) < 4 * math.sqrt(0.95 * 0.05 / studies)
