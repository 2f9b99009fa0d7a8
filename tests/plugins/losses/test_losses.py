"""minimax and nonsat against formulas written again in float64 numpy."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.non_saturating import NonSaturating

REAL = np.array([-3.0, -0.5, 0.0, 1.25, 7.0])
FAKE = np.array([2.0, -1.0, 0.25, -6.0, 0.0])
CLASSES = [Minimax, NonSaturating]
LOSSES = [Minimax(), NonSaturating()]


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def value(real, fake):
    """V of the paper's equation 1."""
    return np.log(sigmoid(real)).mean() + np.log(1 - sigmoid(fake)).mean()


def tensor(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_discriminator_descends_minus_v(loss):
    assert loss.discriminator_loss(tensor(REAL), tensor(FAKE)).item() == pytest.approx(
        -value(REAL, FAKE), rel=1e-12
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_the_discriminators_gradient(loss):
    real, fake = tensor(REAL), tensor(FAKE)
    loss.discriminator_loss(real, fake).backward()
    np.testing.assert_allclose(real.grad, -(1 - sigmoid(REAL)) / 5, rtol=1e-12)
    np.testing.assert_allclose(fake.grad, sigmoid(FAKE) / 5, rtol=1e-12)


def test_minimax_generator_descends_log_one_minus_d():
    fake = tensor(FAKE)
    loss = Minimax().generator_loss(fake)
    assert loss.item() == pytest.approx(np.log(1 - sigmoid(FAKE)).mean(), rel=1e-12)
    loss.backward()
    np.testing.assert_allclose(fake.grad, -sigmoid(FAKE) / 5, rtol=1e-12)


def test_nonsat_generator_ascends_log_d():
    fake = tensor(FAKE)
    loss = NonSaturating().generator_loss(fake)
    assert loss.item() == pytest.approx(-np.log(sigmoid(FAKE)).mean(), rel=1e-12)
    loss.backward()
    np.testing.assert_allclose(fake.grad, -(1 - sigmoid(FAKE)) / 5, rtol=1e-12)


def test_minimax_saturates_where_d_is_sure_and_nonsat_does_not():
    gradients = {}
    for loss in LOSSES:
        fake = tensor([-20.0])
        loss.generator_loss(fake).backward()
        gradients[type(loss)] = abs(fake.grad.item())
    assert gradients[Minimax] < 1e-8
    assert gradients[NonSaturating] == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_at_the_equilibrium_v_is_minus_log_4(loss):
    zeros = torch.zeros(8, dtype=torch.float64)
    assert loss.discriminator_loss(zeros, zeros).item() == pytest.approx(math.log(4), rel=1e-15)


@pytest.mark.parametrize("cls", CLASSES)
def test_at_the_optimal_d_the_loss_is_2_log_2_minus_twice_the_jensen_shannon_divergence(cls):
    p, q = norm(0.4, 0.9), norm(-0.3, 1.2)

    def relative_entropy(a, b):
        def integrand(x):
            return a.pdf(x) * (a.logpdf(x) - np.log((a.pdf(x) + b.pdf(x)) / 2))

        return quad(integrand, -9, 9, epsabs=1e-12)[0]

    divergence = (relative_entropy(p, q) + relative_entropy(q, p)) / 2
    shares = (np.arange(100_000) + 0.5) / 100_000
    real, fake = (
        torch.tensor(p.logpdf(x) - q.logpdf(x)) for x in (p.ppf(shares), q.ppf(shares))
    )  # D* = p / (p + q)
    found = cls().discriminator_loss(real, fake).item()
    assert found == pytest.approx(2 * math.log(2) - 2 * divergence, abs=1e-5)


@pytest.mark.parametrize("smoothing", [0.1, 0.25, 0.9])
@pytest.mark.parametrize("cls", CLASSES)
def test_smoothing_lowers_the_target_of_real_samples_alone(cls, smoothing, agree):
    def cross_entropy(real, fake):
        of_real = (1 - smoothing) * np.log(sigmoid(real)) + smoothing * np.log(1 - sigmoid(real))
        return -of_real.mean() - np.log(1 - sigmoid(fake)).mean()

    agree(cls(smoothing).discriminator_loss, cross_entropy, REAL, FAKE)


@pytest.mark.parametrize("cls", CLASSES)
def test_with_smoothing_d_is_surest_at_the_odds_of_its_target(cls):
    real = tensor([math.log(0.9 / 0.1)])
    cls(label_smoothing=0.1).discriminator_loss(real, tensor([0.0])).backward()
    assert real.grad.item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("cls", CLASSES)
def test_smoothing_leaves_the_generator_alone(cls):
    fake = tensor(FAKE)
    assert torch.equal(cls(0.3).generator_loss(fake), cls().generator_loss(fake))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("cls", CLASSES)
def test_without_smoothing_the_numbers_are_to_the_bit_those_without_the_field(cls, dtype):
    softplus = torch.nn.functional.softplus
    generator = torch.Generator().manual_seed(0)
    for scale in (0.1, 1.0, 30.0, 1e4):
        logits = [torch.randn(64, generator=generator).mul(scale).to(dtype) for _ in range(2)]
        new, old = ([x.clone().requires_grad_() for x in logits] for _ in range(2))
        after = cls().discriminator_loss(*new)
        before = softplus(-old[0]).mean() + softplus(old[1]).mean()
        assert torch.equal(after, before)
        after.backward()
        before.backward()
        assert all(torch.equal(a.grad, b.grad) for a, b in zip(new, old, strict=True))


@pytest.mark.parametrize("text", ["-0.1", "1", "1.5", "nan", "much"])
@pytest.mark.parametrize("cls", CLASSES)
def test_smoothing_out_of_range_is_refused(cls, text):
    with pytest.raises(BadInput, match="label_smoothing"):
        settle(cls, "loss", {"label_smoothing": text})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("loss", LOSSES)
def test_huge_logits_stay_right(loss, size, dtype):
    real, fake = tensor([size], dtype), tensor([size], dtype)
    # One of softplus(-r) and softplus(f) is |size|, the other 0; G's loss is -+|size| or 0.
    huge = float(torch.tensor(1e4, dtype=dtype))
    assert loss.discriminator_loss(real, fake).item() == huge
    saturating = {1e4: -huge, -1e4: 0.0}
    non_saturating = {1e4: 0.0, -1e4: huge}
    expected = saturating if isinstance(loss, Minimax) else non_saturating
    assert loss.generator_loss(fake).item() == expected[size]
