"""Divergence, coverage, and what chance does to them, against SciPy and simulated draws."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from ganbench_plugins.metrics.class_shares import covered, divergence

# MNIST's training digits, and from them the modes of three at once.
DIGITS = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]) / 60_000
MODES = np.einsum("i,j,k->ijk", DIGITS, DIGITS, DIGITS).ravel()


def test_kl_by_hand() -> None:
    counts, shares = torch.tensor([5, 5, 0]), torch.tensor([0.25, 0.5, 0.25])
    assert divergence(counts, shares).value == pytest.approx(0.5 * math.log(2), rel=1e-15)
    assert divergence(torch.tensor([1, 2, 1]), shares).value == 0


@pytest.mark.parametrize("seed", range(3))
def test_kl_is_scipy_s(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts, shares = random.multinomial(500, random.dirichlet(np.ones(40))), MODES[:40]
    shares = shares / shares.sum()
    expected = entropy(counts / counts.sum(), shares)
    assert divergence(torch.tensor(counts), torch.tensor(shares)).value == pytest.approx(expected)


def test_a_class_that_the_reference_lacks_is_infinitely_far() -> None:
    value, noise = divergence(torch.tensor([5, 5]), torch.tensor([1.0, 0.0]))
    assert value == math.inf
    assert math.isnan(noise)


def test_the_noise_of_kl_by_hand() -> None:
    # p = (0.9, 0.1), q = (0.5, 0.5), N = 1000; l = log(1.8), log(0.2), whose variance is
    # 0.09 (log 9)^2; 1 / N of it is chance, and half of that comes back.
    noise = divergence(torch.tensor([900, 100]), torch.tensor([0.5, 0.5])).noise
    expected = math.sqrt((0.09 * math.log(9) ** 2 - 0.001 + 0.0005) / 1000)
    assert noise == pytest.approx(expected, rel=1e-12)
    # p = q: what is left of chi-squared with one degree of freedom.
    noise = divergence(torch.tensor([500, 500]), torch.tensor([0.5, 0.5])).noise
    assert noise == pytest.approx(math.sqrt(2) / 2000, rel=1e-12)


def test_the_noise_of_coverage_by_hand() -> None:
    # Three classes are hit once and one twice.
    assert covered(torch.tensor([1, 1, 1, 2, 7, 0])) == (
        5,
        pytest.approx(math.sqrt(9 / 4 - 9 / 12), rel=1e-12),
    )
    assert covered(torch.tensor([5, 7, 0])) == (2, 0)


@pytest.mark.parametrize("counts", [[1, 0, 0], [0, 9, 0], [1, 1, 1], [0, 0, 0]])
def test_few_samples_and_one_class_have_finite_noise(counts: list[int]) -> None:
    estimates = (divergence(torch.tensor(counts), torch.ones(3) / 3), covered(torch.tensor(counts)))
    assert all(math.isfinite(noise) and noise >= 0 for _, noise in estimates)


def uneven(classes: int, spread: float) -> np.ndarray:
    return np.exp(spread * np.random.default_rng(1).normal(size=classes))


def few(shares: np.ndarray, kept: int, rest: float) -> np.ndarray:
    return np.where(np.arange(len(shares)) < kept, shares, rest * shares)


@pytest.mark.parametrize(
    ("generated", "real", "samples"),
    [
        (DIGITS, DIGITS, 2_000),
        (few(DIGITS, 8, 0.1), DIGITS, 2_000),
        (few(DIGITS, 1, 1e-3), DIGITS, 2_000),
        (MODES, MODES, 2_000),
        (MODES, MODES, 26_000),
        (uneven(1_000, 1), MODES, 26_000),
        (few(MODES, 200, 1e-3), MODES, 26_000),
    ],
    ids=["ten", "eight-of-ten", "one-of-ten", "2k", "26k", "26k-uneven", "26k-collapsed"],
)
def test_the_noise_is_the_spread_of_repeated_draws(
    generated: np.ndarray, real: np.ndarray, samples: int
) -> None:
    random = np.random.default_rng(0)
    drawn = torch.tensor(random.multinomial(samples, generated / generated.sum(), size=250))
    shares = torch.tensor(real / real.sum())
    values, noises = np.array([divergence(counts, shares) for counts in drawn]).T
    assert 0.75 < np.sqrt((noises**2).mean()) / values.std(ddof=1) < 1.25
    values, noises = np.array([covered(counts) for counts in drawn]).T
    predicted, observed = np.sqrt((noises**2).mean()), values.std(ddof=1)
    assert 0.9 * observed <= predicted <= (1.35 * observed if observed > 1 else 2.5 * observed)
