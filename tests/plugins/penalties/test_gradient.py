"""Penalties on the line, on discriminators whose slope is known."""

import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.gradient import (
    GradientPenalty,
    LipschitzPenalty,
    MaxGradientPenalty,
)

REAL = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
FAKE = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def noise():
    return Noise(torch.Generator().manual_seed(2))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_a_linear_d_is_penalised_by_its_slope(slope):
    direction = torch.zeros(3, 8, 8)
    direction[0, 0, 0] = slope * 0.6
    direction[2, 7, 3] = slope * 0.8  # a norm over channels, or pixels, alone would miss one

    def discriminator(images):
        return (images * direction).flatten(1).sum(dim=1)

    penalty = GradientPenalty(weight=10.0)(discriminator, REAL, FAKE, noise())
    assert penalty.item() == pytest.approx(10 * (slope - 1) ** 2, abs=1e-4)


def test_the_norm_is_of_each_image_not_of_the_batch():
    slopes = torch.tensor([1.0, 2.0, 3.0, 4.0])

    def discriminator(images):
        return images[:, 0, 0, 0] * slopes

    penalty = GradientPenalty(weight=1.0)(discriminator, REAL, FAKE, noise())
    assert penalty.item() == pytest.approx((0 + 1 + 4 + 9) / 4, rel=1e-6)


def test_points_lie_between_real_and_fake_one_u_for_each_image():
    seen = []

    def discriminator(images):
        seen.append(images.detach())
        return images.flatten(1).sum(dim=1)

    GradientPenalty()(discriminator, torch.zeros_like(REAL), torch.ones_like(FAKE), noise())
    (points,) = seen
    per_image = points.flatten(1)
    assert (per_image == per_image[:, :1]).all()
    assert per_image[:, 0].unique().numel() == 4
    assert ((per_image >= 0) & (per_image <= 1)).all()


def test_it_moves_the_discriminator_even_where_its_slope_is_zero():
    weight = torch.zeros(3, 8, 8, requires_grad=True)

    def discriminator(images):
        return (images * weight).flatten(1).sum(dim=1)

    GradientPenalty()(discriminator, REAL, FAKE, noise()).backward()
    assert torch.isfinite(weight.grad).all()


def linear(slope):
    direction = torch.zeros(3, 8, 8)
    direction[0, 0, 0] = slope * 0.6
    direction[2, 7, 3] = slope * 0.8
    return lambda images: (images * direction).flatten(1).sum(dim=1)


@pytest.mark.parametrize(("slope", "excess"), [(0.0, 0.0), (0.9, 0.0), (1.0, 0.0), (3.0, 2.0)])
def test_lp_only_counts_what_exceeds_1(slope, excess):
    term = LipschitzPenalty(weight=5.0)(linear(slope), REAL, FAKE, noise())
    assert term.item() == pytest.approx(5 * excess**2, abs=1e-4)


def test_lp_is_of_each_image():
    slopes = torch.tensor([0.5, 1.0, 2.0, 4.0])
    term = LipschitzPenalty(weight=1.0)(lambda x: x[:, 0, 0, 0] * slopes, REAL, FAKE, noise())
    assert term.item() == pytest.approx((0 + 0 + 1 + 9) / 4, rel=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.5, 3.0])
def test_maxgp_of_a_linear_d_is_its_squared_slope(slope):
    term = MaxGradientPenalty(weight=2.0)(linear(slope), REAL, FAKE, noise())
    assert term.item() == pytest.approx(2 * slope**2, rel=1e-5)


def test_maxgp_is_that_of_the_steepest_image():
    slopes = torch.tensor([1.0, -5.0, 3.0, 4.0], requires_grad=True)
    term = MaxGradientPenalty(weight=1.0)(lambda x: x[:, 0, 0, 0] * slopes, REAL, FAKE, noise())
    assert term.item() == pytest.approx(25.0, rel=1e-6)
    term.backward()
    torch.testing.assert_close(slopes.grad, torch.tensor([0.0, -10.0, 0.0, 0.0]))


@pytest.mark.parametrize("cls", [GradientPenalty, LipschitzPenalty, MaxGradientPenalty])
def test_all_are_taken_between_real_and_fake(cls):
    seen = []

    def discriminator(images):
        seen.append(images.detach())
        return images.flatten(1).sum(dim=1)

    cls()(discriminator, torch.zeros_like(REAL), torch.ones_like(FAKE), noise())
    per_image = seen[0].flatten(1)
    assert (per_image == per_image[:, :1]).all()
    assert ((per_image >= 0) & (per_image <= 1)).all()


@pytest.mark.parametrize("cls", [LipschitzPenalty, MaxGradientPenalty])
def test_each_has_a_finite_gradient_at_slope_zero(cls):
    weight = torch.zeros(3, 8, 8, requires_grad=True)
    cls()(lambda x: (x * weight).flatten(1).sum(dim=1), REAL, FAKE, noise()).backward()
    assert (weight.grad == 0).all()
