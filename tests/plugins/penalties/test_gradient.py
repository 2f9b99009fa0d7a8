"""The gradient penalty on discriminators whose slope is known."""

import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.gradient import GradientPenalty

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
