"""lsgan against its formula, and what it measures at the optimal D."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from ganbench_plugins.losses.least_squares import LeastSquares

REAL = np.array([-3.0, -0.5, 0.0, 1.25, 7.0])
FAKE = np.array([2.0, -1.0, 0.25, -6.0, 0.0])


def test_by_hand():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([3.0, -1.0])
    # Labels 1 and 0: ((1 + 1) / 2 + (9 + 1) / 2) / 2, and G's ((4 + 4) / 2) / 2.
    assert LeastSquares().discriminator_loss(real, fake).item() == 3
    assert LeastSquares().generator_loss(fake).item() == 2


@pytest.mark.parametrize("labels", [(0, 1, 1), (-1, 1, 0), (0.2, 0.9, 0.8)])
def test_value_and_gradient(labels, agree):
    a, b, c = labels
    loss = LeastSquares(a, b, c)
    agree(
        loss.discriminator_loss,
        lambda real, fake: 0.5 * np.mean((real - b) ** 2) + 0.5 * np.mean((fake - a) ** 2),
        REAL,
        FAKE,
    )
    agree(loss.generator_loss, lambda fake: 0.5 * np.mean((fake - c) ** 2), FAKE)


def test_each_label_counts():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)

    def losses(**labels):
        loss = LeastSquares(**labels)
        return loss.discriminator_loss(real, fake).item(), loss.generator_loss(fake).item()

    d, g = losses()
    assert losses(a=-1.0)[0] != d
    assert losses(b=2.0)[0] != d
    assert losses(c=2.0)[1] != g


def test_g_with_those_labels_minimises_pearsons_chi_square_at_the_optimal_d():
    p, q = norm(0.4, 0.9), norm(0, 1)

    def chi_square(x):  # of p + q against 2 q, Theorem 1
        return (2 * q.pdf(x) - p.pdf(x) - q.pdf(x)) ** 2 / (p.pdf(x) + q.pdf(x))

    shares = (np.arange(100_000) + 0.5) / 100_000

    def optimal(x):  # (b p + a q) / (p + q) with a = -1, b = 1
        return torch.tensor((p.pdf(x) - q.pdf(x)) / (p.pdf(x) + q.pdf(x)))

    loss = LeastSquares(a=-1, b=1, c=0)
    # The paper's C(G) has the real samples' term, which G does not move, too.
    found = sum(loss.generator_loss(optimal(x.ppf(shares))).item() for x in (p, q))
    assert 2 * found == pytest.approx(quad(chi_square, -9, 9)[0], abs=1e-6)
