"""Every bundled loss against formulas written again in float64 numpy."""

import math

import numpy as np
import pytest
import torch

from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.non_saturating import NonSaturating

REAL = np.array([-3.0, -0.5, 0.0, 1.25, 7.0])
FAKE = np.array([2.0, -1.0, 0.25, -6.0, 0.0])
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("loss", LOSSES)
def test_huge_logits_stay_finite_and_right(loss, size, dtype):
    real, fake = tensor([size], dtype), tensor([size], dtype)
    total = loss.discriminator_loss(real, fake) + loss.generator_loss(fake)
    total.backward()
    for found in (total, real.grad, fake.grad):
        assert torch.isfinite(found).all()
    # One of softplus(-r) and softplus(f) is |size|, the other 0; G's loss is -+|size| or 0.
    huge = float(torch.tensor(1e4, dtype=dtype))
    expected_d = huge
    assert loss.discriminator_loss(real, fake).item() == expected_d
    saturating = {1e4: -huge, -1e4: 0.0}
    non_saturating = {1e4: 0.0, -1e4: huge}
    expected_g = saturating if isinstance(loss, Minimax) else non_saturating
    assert loss.generator_loss(fake).item() == expected_g[size]


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_agree_with_finite_differences(loss):
    assert torch.autograd.gradcheck(loss.discriminator_loss, (tensor(REAL), tensor(FAKE)))
    assert torch.autograd.gradcheck(loss.generator_loss, (tensor(FAKE),))
