"""Instance noise: what it adds."""

import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.instance_noise import InstanceNoise

IMAGES = torch.rand(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def noise():
    return Noise(torch.Generator().manual_seed(2))


@pytest.mark.parametrize("std", [0.1, 0.5])
def test_it_adds_normal_noise_to_each_value(std):
    added = InstanceNoise(std=std).augment(IMAGES, noise()) - IMAGES
    assert added.mean().item() == pytest.approx(0.0, abs=0.02 * std)
    assert added.std().item() == pytest.approx(std, rel=0.02)
    assert added.unique().numel() > 0.9 * added.numel()


def test_without_spread_it_changes_nothing():
    assert torch.equal(InstanceNoise(std=0.0).augment(IMAGES, noise()), IMAGES)


def test_gradients_pass():
    images = IMAGES.clone().requires_grad_()
    InstanceNoise().augment(images, noise()).sum().backward()
    assert (images.grad == 1).all()


def test_points_have_it_too():
    assert InstanceNoise().augment(torch.zeros(5, 2), noise()).shape == (5, 2)
