"""The table of norms, by numbers worked out by hand."""

import pytest
import torch
from torch import nn

from ganbench_plugins.architectures.normalization import NORMALIZATIONS


def test_only_batch_norm_mixes_samples():
    mixing = [name for name, norm in NORMALIZATIONS.items() if norm.mixes_samples]
    assert mixing == ["batch"]


def test_layer_norm_of_maps_is_over_all_of_an_images_values():
    # Values 0 to 7: mean 3.5, variance 5.25.
    images = torch.arange(8.0).view(1, 2, 2, 2)
    layer = NORMALIZATIONS["layer"].of_maps(2)
    torch.testing.assert_close(layer(images), (images - 3.5) / (5.25 + 1e-5) ** 0.5)
    assert [tuple(p.shape) for p in layer.parameters()] == [(2,), (2,)]


def test_instance_norm_is_over_each_channel_by_itself():
    # 0 to 3 and 4 to 7: means 1.5 and 5.5, variance 1.25.
    images = torch.arange(8.0).view(1, 2, 2, 2)
    means = torch.tensor([1.5, 5.5]).view(1, 2, 1, 1)
    layer = NORMALIZATIONS["instance"].of_maps(2)
    torch.testing.assert_close(layer(images), (images - means) / (1.25 + 1e-5) ** 0.5)
    assert [tuple(p.shape) for p in layer.parameters()] == [(2,), (2,)]


def test_batch_norm_is_over_the_batch():
    vectors = torch.tensor([[0.0, 10.0], [2.0, 30.0]])
    expected = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    torch.testing.assert_close(NORMALIZATIONS["batch"].of_vectors(2)(vectors), expected)
    maps = NORMALIZATIONS["batch"].of_maps(2)(vectors[:, :, None, None])
    torch.testing.assert_close(maps.flatten(1), expected)


@pytest.mark.parametrize("name", ["none", "spectral"])
def test_these_add_no_layer(name):
    images = torch.randn(2, 3, 4, 4)
    assert torch.equal(NORMALIZATIONS[name].of_maps(3)(images), images)


def test_spectral_norm_divides_by_the_largest_singular_value():
    network = nn.Sequential(nn.Linear(2, 2, bias=False))
    network[0].weight.data = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
    torch.manual_seed(0)
    NORMALIZATIONS["spectral"].finish(network)
    with torch.no_grad():
        for _ in range(30):
            rebuilt = network(torch.eye(2))
    torch.testing.assert_close(rebuilt, torch.tensor([[1.0, 0.0], [0.0, 1 / 3]]))


@pytest.mark.parametrize("name", ["none", "batch", "layer", "instance"])
def test_the_others_leave_weights_alone(name):
    network = nn.Sequential(nn.Linear(2, 2))
    NORMALIZATIONS[name].finish(network)
    assert not hasattr(network[0], "parametrizations")
