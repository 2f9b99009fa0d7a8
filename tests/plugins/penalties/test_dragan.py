"""DRAGAN: its slope, and the three noises that go by its name."""

import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.dragan import Dragan

NOISES = ["ray", "box", "normal"]
# Half of the values -0.4, half 0.4: a standard deviation of exactly 0.4.
REAL = torch.tensor([-0.4, 0.4]).repeat(64, 3, 32, 16).contiguous()


def noise():
    return Noise(torch.Generator().manual_seed(2))


def moves(**fields):
    """How far each value of the real batch is moved; [batch, values]."""
    seen = []

    def discriminator(images):
        seen.append(images.detach())
        return images.flatten(1).sum(dim=1)

    Dragan(**fields)(discriminator, REAL, torch.full_like(REAL, 9.0), noise())
    return (seen[0] - REAL).flatten(1)


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_a_linear_d_is_penalised_by_its_slope(kind, slope):
    direction = torch.zeros(3, 32, 32)
    direction[0, 0, 0] = slope * 0.6
    direction[2, 7, 3] = slope * 0.8

    def discriminator(images):
        return (images * direction).flatten(1).sum(dim=1)

    term = Dragan(weight=10.0, noise=kind)(discriminator, REAL, REAL, noise())
    assert term.item() == pytest.approx(10 * (slope - 1) ** 2, abs=1e-4)


def test_the_norm_is_of_each_image():
    slopes = torch.arange(64) + 1.0

    def discriminator(images):
        return images[:, 0, 0, 0] * slopes

    term = Dragan(weight=1.0)(discriminator, REAL, REAL, noise())
    assert term.item() == pytest.approx((slopes - 1).square().mean().item(), rel=1e-5)


def test_ray_is_uniform_along_a_random_ray_into_the_positive():
    moved = moves(noise="ray", spread=0.5) / (0.5 * 0.4)
    assert (moved >= -1e-6).all()
    lengths = moved.amax(dim=1)  # u, but for 3072 values v that nearly reach 1
    assert 0.0 < lengths.min() < 0.1
    assert 0.9 < lengths.max() <= 1.0
    shares = moved / lengths[:, None]  # v
    assert shares.mean().item() == pytest.approx(0.5, abs=0.01)
    assert shares.std().item() == pytest.approx(12**-0.5, abs=0.01)


def test_box_is_uniform_and_centred():
    moved = moves(noise="box", spread=1.0) / 0.4
    assert moved.abs().max() <= 0.5 + 1e-6
    assert moved.mean().item() == pytest.approx(0.0, abs=0.01)
    assert moved.std().item() == pytest.approx(12**-0.5, abs=0.005)
    assert moved.amax(dim=1).min() > 0.49  # the same in every image: no u


def test_box_is_clipped_to_the_range_of_images_and_points_to_that_of_their_batch():
    points = []

    def discriminator(images):
        points.append(images.detach())
        return images.flatten(1).sum(dim=1)

    penalty = Dragan(noise="box", spread=1.0)
    images = torch.tensor([-1.0, 1.0]).repeat(8, 3, 8, 4).contiguous()
    penalty(discriminator, images, images, noise())
    penalty(discriminator, torch.tensor([[-3.0, 0.5], [2.0, 0.7]]).repeat(99, 1), images, noise())
    assert points[0].min() == -1.0
    assert points[0].max() == 1.0
    assert points[1].min() == -3.0
    assert points[1].max() == 2.0


def test_normal_has_the_spread_as_its_standard_deviation():
    moved = moves(noise="normal", spread=2.0) / 0.8
    assert moved.mean().item() == pytest.approx(0.0, abs=0.01)
    assert moved.std().item() == pytest.approx(1.0, abs=0.01)
    assert moved.pow(4).mean().item() == pytest.approx(3.0, abs=0.1)  # a normal's kurtosis


@pytest.mark.parametrize("kind", NOISES)
def test_it_moves_the_discriminator_even_where_its_slope_is_zero(kind):
    weight = torch.zeros(3, 32, 32, requires_grad=True)

    def discriminator(images):
        return (images * weight).flatten(1).sum(dim=1)

    Dragan(noise=kind)(discriminator, REAL, REAL, noise()).backward()
    assert torch.isfinite(weight.grad).all()
