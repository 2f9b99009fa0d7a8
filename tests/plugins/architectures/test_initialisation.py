"""First weights have the distribution that they are said to have."""

import math

import pytest
import torch
from torch import nn

from ganbench_plugins.architectures.initialisation import initialise


def _convolution(initialisation, gain=1.0):
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 64, 3)
    initialise(layer, initialisation, gain)
    return layer


@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_glorot_is_uniform_with_the_variance_of_both_fans(gain):
    weight = _convolution("glorot", gain).weight
    std = gain * math.sqrt(2 / (32 * 9 + 64 * 9))
    assert weight.std().item() == pytest.approx(std, rel=0.02)
    assert weight.abs().max().item() == pytest.approx(math.sqrt(3) * std, rel=0.01)


@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_normal_has_a_standard_deviation_of_two_hundredths(gain):
    weight = _convolution("normal", gain).weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert weight.abs().max().item() > 0.06


@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_orthogonal_has_orthonormal_rows(gain):
    rows = _convolution("orthogonal", gain).weight.flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(64), atol=1e-5, rtol=0)


@pytest.mark.parametrize("initialisation", ["normal", "glorot", "orthogonal"])
def test_every_layers_bias_is_zero_and_norms_stay_as_they_are(initialisation):
    network = nn.Sequential(
        nn.Linear(2, 3), nn.ConvTranspose2d(3, 4, 2), nn.Sequential(nn.Conv2d(4, 4, 1)),
        nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4),
    )  # fmt: skip
    initialise(network, initialisation)
    assert all(not network[i].bias.any() for i in (0, 1))
    assert not network[2][0].bias.any()
    assert torch.equal(network[4].weight, torch.ones(4))
