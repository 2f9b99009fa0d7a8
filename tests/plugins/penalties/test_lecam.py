"""LeCam: its averages, worked out step by step."""

import copy

import numpy as np
import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.lecam import LeCam

NOISE = Noise(torch.Generator().manual_seed(0))
REALS = np.array([[1.0, 3.0], [2.0, 0.0], [-1.0, 2.0]])
FAKES = np.array([[0.0, -2.0], [-1.0, 1.0], [0.5, 1.5]])


def first_value(images):
    return images[:, 0]


def term(penalty, real, fake):
    real, fake = (torch.tensor(v, dtype=torch.float32)[:, None] for v in (real, fake))
    return penalty(first_value, real, fake, NOISE)


def averages(values, decay):
    """Weighted means of all batches so far, the older the lighter; one for each step."""
    means = values.mean(axis=1)
    weights = [decay ** np.arange(step, -1, -1.0) for step in range(len(means))]
    return [np.average(means[: len(w)], weights=w) for w in weights]


@pytest.mark.parametrize("decay", [0.9, 0.99, 0.0])
@pytest.mark.parametrize("start", [0, 2])
def test_three_steps_by_hand(decay, start):
    penalty = LeCam(weight=0.3, decay=decay, start=start)
    of_real, of_fake = averages(REALS, decay), averages(FAKES, decay)
    for step, (real, fake) in enumerate(zip(REALS, FAKES, strict=True)):
        above = np.mean((real - of_fake[step]) ** 2)
        below = np.mean((fake - of_real[step]) ** 2)
        expected = 0.3 * (above + below) if step >= start else 0.0
        assert term(penalty, real, fake).item() == pytest.approx(expected, rel=1e-4)


def test_the_first_step_by_hand():
    # a_R = 2, a_F = -1: (2^2 + 4^2) / 2 + (2^2 + 4^2) / 2
    assert term(LeCam(weight=1.0, start=0), [1.0, 3.0], [0.0, -2.0]).item() == pytest.approx(20.0)


def test_one_sided_leaves_out_logits_beyond_the_other_sides_average():
    real, fake = [-4.0, 6.0], [-2.0, 2.0]  # a_R = 1, a_F = 0
    both = term(LeCam(weight=1.0, start=0), real, fake)
    one = term(LeCam(weight=1.0, start=0, distance="one-sided"), real, fake)
    assert both.item() == pytest.approx((16 + 36) / 2 + (9 + 1) / 2)
    assert one.item() == pytest.approx((0 + 36) / 2 + (9 + 0) / 2)


def test_the_averages_carry_no_gradient():
    logits = torch.tensor([1.0, 3.0], requires_grad=True)
    penalty = LeCam(weight=1.0, start=0)
    fake = torch.tensor([[0.0], [-2.0]])
    penalty(lambda x: x[:, 0] if x is fake else logits, torch.zeros(2, 1), fake, NOISE).backward()
    torch.testing.assert_close(logits.grad, torch.tensor([2.0, 4.0]))  # 2 (d + 1) / 2


def test_before_the_start_the_averages_move_and_d_does_not():
    penalty = LeCam(start=1)
    logits = torch.tensor([1.0, 3.0], requires_grad=True)
    penalty(lambda x: logits, torch.zeros(2, 1), torch.zeros(2, 1), NOISE).backward()
    assert (logits.grad == 0).all()
    assert penalty.real_sum.item() == pytest.approx(0.02)


def test_its_state_goes_through_a_state_dict():
    penalty = LeCam(start=0)
    for real, fake in zip(REALS, FAKES, strict=True):
        term(penalty, real, fake)
    again = LeCam(start=0)
    again.load_state_dict(copy.deepcopy(penalty.state_dict()))
    assert set(penalty.state_dict()) == {"steps", "real_sum", "fake_sum"}
    for real, fake in zip(REALS, FAKES, strict=True):
        assert torch.equal(term(again, real, fake), term(penalty, real, fake))
    for name, value in penalty.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_logits_stay_finite(size, dtype):
    penalty = LeCam(start=0)
    logits = torch.full((4,), size, dtype=dtype, requires_grad=True)
    result = penalty(lambda x: logits + x[:, 0], torch.zeros(4, 1), -torch.ones(4, 1), NOISE)
    result.backward()
    assert torch.isfinite(result)
    assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(penalty.real_sum)


def test_a_long_run_forgets_its_beginning():
    penalty = LeCam(weight=1.0, decay=0.5, start=0)
    term(penalty, [1e6, 1e6], [1e6, 1e6])
    for _ in range(60):
        last = term(penalty, [5.0, 5.0], [2.0, 2.0])
    assert last.item() == pytest.approx(9 + 9, rel=1e-5)
