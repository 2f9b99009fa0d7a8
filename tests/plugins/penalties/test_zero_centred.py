"""Zero-centred penalties on discriminators whose slope is known."""

import numpy as np
import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.zero_centred import R1, R2, ZeroCentred

REAL = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
FAKE = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
PENALTIES = [(R1(gamma=3.0), 1.5), (R2(gamma=3.0), 1.5), (ZeroCentred(weight=3.0), 3.0)]


def noise():
    return Noise(torch.Generator().manual_seed(2))


def quadratic(images):
    """|x|^2 / 2 per image: its slope at x is x."""
    return images.flatten(1).square().sum(dim=1) / 2


@pytest.mark.parametrize(("penalty", "factor"), PENALTIES)
@pytest.mark.parametrize("slope", [0.0, 0.5, 3.0])
def test_a_linear_d_is_penalised_by_its_squared_slope(penalty, factor, slope):
    direction = torch.zeros(3, 8, 8)
    direction[0, 0, 0] = slope * 0.6
    direction[2, 7, 3] = slope * 0.8

    def discriminator(images):
        return (images * direction).flatten(1).sum(dim=1)

    term = penalty(discriminator, REAL, FAKE, noise())
    assert term.item() == pytest.approx(factor * slope**2, rel=1e-5)


def test_r1_is_taken_on_real_images_and_r2_on_fakes():
    squares = {
        name: np.mean([np.sum(image**2) for image in batch.numpy()])
        for name, batch in (("real", REAL), ("fake", FAKE))
    }
    assert R1(gamma=10.0)(quadratic, REAL, FAKE, noise()).item() == pytest.approx(
        5 * squares["real"], rel=1e-5
    )
    assert R2(gamma=10.0)(quadratic, REAL, FAKE, noise()).item() == pytest.approx(
        5 * squares["fake"], rel=1e-5
    )


def test_zero_gp_is_taken_on_the_line():
    real, fake = torch.zeros(2000, 1), torch.full((2000, 1), 3.0)
    term = ZeroCentred(weight=1.0)(quadratic, real, fake, noise())
    assert term.item() == pytest.approx(9 / 3, rel=0.05)  # E[(3u)^2]


def test_r1_and_r2_use_the_batch_as_given():
    seen = []

    def discriminator(images):
        seen.append(images)
        return quadratic(images)

    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    R1()(discriminator, real, fake, noise())
    R2()(discriminator, real, fake, noise())
    assert seen[0] is real
    assert seen[1] is fake
    assert R1.differentiates_real
    assert R2.differentiates_fake


def test_the_mean_is_over_images():
    slopes = torch.tensor([1.0, 2.0, 3.0, 4.0])

    def discriminator(images):
        return images[:, 0, 0, 0] * slopes

    for penalty, factor in PENALTIES:
        term = penalty(discriminator, REAL, FAKE, noise())
        assert term.item() == pytest.approx(factor * (1 + 4 + 9 + 16) / 4, rel=1e-5)


@pytest.mark.parametrize(("penalty", "factor"), PENALTIES)
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e4])
def test_it_moves_the_discriminator_at_any_slope(penalty, factor, size):
    weight = torch.full((3, 8, 8), size, requires_grad=True)

    def discriminator(images):
        return (images * weight).flatten(1).sum(dim=1)

    penalty(discriminator, REAL, FAKE, noise()).backward()
    torch.testing.assert_close(weight.grad, torch.full((3, 8, 8), 2 * factor * size))
