"""fgan: at the optimal D it is the divergence, worked out without it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.fgan import FGAN
from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.non_saturating import NonSaturating

REAL = np.array([-3.0, -0.5, 0.1, 1.25, 7.0])
FAKE = np.array([2.0, -1.5, 0.25, -6.0, 0.5])
P, Q = norm(0.4, 0.9), norm(0, 1)

# g_f and f* of the paper's table 6, and the logits of the optimal D, g_f^-1(f'(u)).
TABLE = {
    "kullback-leibler": (lambda v: v, lambda t: np.exp(t - 1), lambda u: 1 + np.log(u)),
    "reverse-kullback-leibler": (lambda v: -np.exp(-v), lambda t: -1 - np.log(-t), np.log),
    "pearson": (lambda v: v, lambda t: t**2 / 4 + t, lambda u: 2 * (u - 1)),
    "neyman": (
        lambda v: 1 - np.exp(-v),
        lambda t: 2 - 2 * np.sqrt(1 - t),
        lambda u: 2 * np.log(u),
    ),
    "squared-hellinger": (
        lambda v: 1 - np.exp(-v),
        lambda t: t / (1 - t),
        lambda u: np.log(u) / 2,
    ),
    "jensen-shannon": (
        lambda v: np.log(2) - np.log(1 + np.exp(-v)),
        lambda t: -np.log(2 - np.exp(t)),
        np.log,
    ),
    "total-variation": (
        lambda v: np.tanh(v) / 2,
        lambda t: t,
        lambda u: 50 * np.sign(u - 1),
    ),
    "gan": (lambda v: -np.log(1 + np.exp(-v)), lambda t: -np.log(1 - np.exp(t)), np.log),
}
every_divergence = pytest.mark.parametrize("divergence", TABLE)


def integral(integrand):
    """Over x, of a function of both densities there; in parts, between which they cross."""

    def at(x):
        return integrand(P.pdf(x), Q.pdf(x))

    crossings = np.roots([1 / 0.81 - 1, -0.8 / 0.81, 0.16 / 0.81 + np.log(0.81)])
    assert P.pdf(crossings) == pytest.approx(Q.pdf(crossings))
    ends = sorted([-9.0, *(x for x in crossings if abs(x) < 9), 9.0])
    return sum(quad(at, *part, epsabs=1e-13, epsrel=1e-9)[0] for part in pairwise(ends))


def relative_entropy(a, b):
    return a * np.log(a / b)


# The divergences by their textbook definitions, p being real and q fake.
DIVERGENCES = {
    "kullback-leibler": relative_entropy,
    "reverse-kullback-leibler": lambda p, q: relative_entropy(q, p),
    "pearson": lambda p, q: (p - q) ** 2 / q,
    "neyman": lambda p, q: (p - q) ** 2 / p,
    "squared-hellinger": lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2,
    "jensen-shannon": lambda p, q: (
        relative_entropy(p, (p + q) / 2) + relative_entropy(q, (p + q) / 2)
    ),
    "total-variation": lambda p, q: abs(p - q) / 2,
    "gan": lambda p, q: relative_entropy(p, p + q) + relative_entropy(q, p + q),
}


@every_divergence
def test_value_and_gradient(divergence, agree):
    critic, conjugate, _ = TABLE[divergence]

    def of_d(real, fake):
        return conjugate(critic(fake)).mean() - critic(real).mean()

    agree(FGAN(divergence).discriminator_loss, of_d, REAL, FAKE)
    agree(FGAN(divergence).generator_loss, lambda v: -conjugate(critic(v)).mean(), FAKE)
    agree(FGAN(divergence, saturating=False).generator_loss, lambda v: -critic(v).mean(), FAKE)


@every_divergence
def test_at_the_optimal_d_it_is_the_divergence(divergence):
    loss, zero = FGAN(divergence), torch.zeros(1, dtype=torch.float64)

    def bound(real, fake):
        return -loss.discriminator_loss(real, fake).item()

    def integrand(p, q):
        # Each side against a fixed logit, whose own part goes off again below.
        logit = torch.tensor([TABLE[divergence][2](p / q)])
        return p * bound(logit, zero) + q * bound(zero, logit)

    found = integral(integrand) - bound(zero, zero)
    assert found == pytest.approx(integral(DIVERGENCES[divergence]), rel=1e-8)


def test_those_integrals_agree_with_closed_forms():
    mean, variance = 0.4, 0.81
    kl = (variance + mean**2 - 1 - np.log(variance)) / 2
    reverse = (1 / variance + mean**2 / variance - 1 + np.log(variance)) / 2
    overlap = np.sqrt(2 * 0.9 / (variance + 1)) * np.exp(-(mean**2) / (4 * (variance + 1)))
    chi_square = np.exp(mean**2 / (2 - variance)) / np.sqrt(variance * (2 - variance)) - 1
    assert integral(DIVERGENCES["kullback-leibler"]) == pytest.approx(kl, rel=1e-9)
    assert integral(DIVERGENCES["reverse-kullback-leibler"]) == pytest.approx(reverse, rel=1e-9)
    assert integral(DIVERGENCES["squared-hellinger"]) == pytest.approx(2 - 2 * overlap, rel=1e-9)
    assert integral(DIVERGENCES["pearson"]) == pytest.approx(chi_square, rel=1e-9)


@pytest.mark.parametrize("divergence", sorted(TABLE.keys() - {"total-variation"}))
@pytest.mark.parametrize("ratio", [0.1, 0.9, 3.0])
def test_where_real_is_so_much_likelier_d_has_nowhere_better_to_go(divergence, ratio):
    best = torch.tensor([TABLE[divergence][2](ratio)], dtype=torch.float64, requires_grad=True)
    loss = FGAN(divergence)
    on_real = torch.autograd.grad(loss.discriminator_loss(best, best.detach()), best)[0]
    on_fake = torch.autograd.grad(loss.discriminator_loss(best.detach(), best), best)[0]
    assert (ratio * on_real + on_fake).item() == pytest.approx(0, abs=1e-12)
    assert on_fake.item() > 0


def test_the_gan_row_is_minimax_and_nonsat():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    saturating, other = FGAN("gan"), FGAN("gan", saturating=False)
    for loss in (saturating, other):
        expected = Minimax().discriminator_loss(real, fake)
        torch.testing.assert_close(loss.discriminator_loss(real, fake), expected)
    torch.testing.assert_close(saturating.generator_loss(fake), Minimax().generator_loss(fake))
    torch.testing.assert_close(other.generator_loss(fake), NonSaturating().generator_loss(fake))


def test_exponentials_go_on_along_their_tangent():
    logits = torch.tensor([31.0, 1001.0, 10001.0], dtype=torch.float64, requires_grad=True)
    values = [FGAN().discriminator_loss(torch.zeros(1), logit[None]) for logit in logits]
    steepest = np.exp(30)  # exp(v - 1) up to v = 31
    np.testing.assert_allclose(
        [value.item() for value in values], steepest * np.array([1, 971, 9971]), rtol=1e-12
    )
    sum(values).backward()
    np.testing.assert_allclose(logits.grad, steepest, rtol=1e-12)


def test_another_divergence_is_refused():
    with pytest.raises(BadInput, match="divergence"):
        settle(FGAN, "loss", {"divergence": "jeffreys"})
