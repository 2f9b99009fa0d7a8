"""The network of "Are GANs Created Equal?"."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from ganbench_plugins.architectures.infogan_conv import InfoGANConv


def test_parameters_of_the_papers_discriminator():
    """compare_gan's BEGAN.py says that its standard discriminator has 8.5 million."""
    with torch.device("meta"):
        _, discriminator = InfoGANConv(discriminator_norm="none").build((3, 32, 32))
    count = sum(p.numel() for p in discriminator.parameters())
    by_hand = (3 * 16 * 64 + 64) + (64 * 16 * 128 + 128) + (128 * 64 * 1024 + 1024) + (1024 + 1)
    assert count == by_hand
    assert round(count / 1e6, 1) == 8.5


def test_the_discriminator_by_hand():
    torch.manual_seed(0)
    _, discriminator = InfoGANConv(width=2, discriminator_norm="none").build((1, 28, 28))
    first, second = (m for m in discriminator.body if isinstance(m, nn.Conv2d))
    (dense,) = (m for m in discriminator.body if isinstance(m, nn.Linear))
    x = torch.rand(3, 1, 28, 28) * 2 - 1
    h = functional.leaky_relu(first((x + 1) / 2), 0.2)
    h = functional.leaky_relu(second(h), 0.2)
    assert h.shape == (3, 4, 7, 7)
    h = functional.leaky_relu(dense(h.flatten(1)), 0.2)
    assert h.shape == (3, 32)
    torch.testing.assert_close(discriminator.embed(x), h)
    torch.testing.assert_close(discriminator(x), discriminator.head(h).flatten())


def test_the_generators_layers():
    with torch.device("meta"):
        generator, _ = InfoGANConv().build((1, 28, 28))
    weights = [tuple(p.shape) for p in generator.parameters() if p.dim() > 1]
    assert weights == [(1024, 64), (128 * 49, 1024), (128, 64, 4, 4), (64, 1, 4, 4)]
    norms = [m.num_features for m in generator if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    assert norms == [1024, 128 * 49, 64]


def test_the_sigmoid_is_stretched_to_the_harness_range():
    generator, _ = InfoGANConv(width=4).build((1, 8, 8))
    generator.eval()
    latents = 100 * torch.randn(20, 64)
    before = generator[:-2](latents)
    images = generator(latents)
    torch.testing.assert_close(images, torch.tanh(before / 2))
    assert images.abs().max() <= 1


@pytest.mark.parametrize(
    ("norm", "kinds"),
    [
        ("batch", [nn.BatchNorm2d, nn.BatchNorm1d]),
        ("layer", [nn.GroupNorm, nn.LayerNorm]),
        ("none", []),
    ],
)
def test_norms_are_after_the_second_and_third_layer(norm, kinds):
    _, discriminator = InfoGANConv(width=4, discriminator_norm=norm).build((1, 8, 8))
    norms = (nn.BatchNorm2d, nn.BatchNorm1d, nn.GroupNorm, nn.LayerNorm)
    assert [type(m) for m in discriminator.body if isinstance(m, norms)] == kinds


def test_it_starts_from_a_normal_distribution():
    torch.manual_seed(0)
    for network in InfoGANConv(width=16).build((3, 32, 32)):
        weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() > 1])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)
