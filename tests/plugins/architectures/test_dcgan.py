"""DCGAN: its weights are those of the plain sequence of layers, and its maps the right size."""

import pytest
import torch
from torch import nn

from ganbench_plugins.architectures.dcgan import DCGAN


def _weights(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def _by_hand(norm):
    """For 1 x 28 x 28 images at a width of 3: 28 to 14 to 7."""
    generator = nn.Sequential(
        nn.Unflatten(1, (5, 1, 1)),
        nn.ConvTranspose2d(5, 6, 7, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
        nn.ConvTranspose2d(6, 3, 4, 2, 1, bias=False), nn.BatchNorm2d(3), nn.ReLU(),
        nn.ConvTranspose2d(3, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 3, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(3, 6, 4, 2, 1, bias=norm == "none"),
        *([nn.BatchNorm2d(6)] if norm == "batch" else []), nn.LeakyReLU(0.2),
        nn.Conv2d(6, 1, 7), nn.Flatten(0),
    )  # fmt: skip
    return generator.apply(_weights), discriminator.apply(_weights)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_a_seed_gives_the_weights_of_the_plain_sequence(norm):
    """Version 1's numbers: no draw may come, go or move."""
    torch.manual_seed(7)
    expected = _by_hand(norm)
    after = torch.get_rng_state()
    torch.manual_seed(7)
    built = DCGAN(latent_size=5, width=3, discriminator_norm=norm).build((1, 28, 28))
    assert torch.equal(torch.get_rng_state(), after)
    inputs = torch.randn(4, 5), torch.randn(4, 1, 28, 28)
    for network, by_hand, batch in zip(built, expected, inputs, strict=True):
        pairs = zip(network.parameters(), by_hand.parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
        assert torch.equal(network(batch), by_hand(batch))


def test_the_innermost_map_is_4_wide_at_32_pixels():
    _, discriminator = DCGAN(width=8).build((3, 32, 32))
    layers = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert [tuple(m.weight.shape[:2]) for m in layers] == [(8, 3), (16, 8), (32, 16), (1, 32)]
    assert discriminator.head.kernel_size == (4, 4)
    assert discriminator.embed(torch.zeros(2, 3, 32, 32)).shape == (2, 32 * 4 * 4)


def test_images_are_in_range():
    generator, _ = DCGAN(width=4).build((3, 32, 32))
    assert generator(100 * torch.randn(3, 100)).abs().max() <= 1


@pytest.mark.parametrize(
    ("norm", "layer"),
    [("batch", nn.BatchNorm2d), ("layer", nn.GroupNorm), ("instance", nn.InstanceNorm2d)],
)
def test_a_norm_is_after_each_layer_but_the_first_and_the_last(norm, layer):
    _, discriminator = DCGAN(width=4, discriminator_norm=norm).build((3, 64, 64))
    kinds = [type(m) for m in discriminator.modules() if isinstance(m, (nn.Conv2d, layer))]
    assert kinds == [nn.Conv2d, nn.Conv2d, layer, nn.Conv2d, layer, nn.Conv2d, layer, nn.Conv2d]
    biased = [m.bias is not None for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    inside = norm != "batch"
    assert biased == [True, inside, inside, inside, True]


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_it_starts_from_the_papers_distribution(norm):
    torch.manual_seed(0)
    generator, discriminator = DCGAN(discriminator_norm=norm).build((3, 32, 32))
    for network in (generator, discriminator):
        weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() == 4])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)
        assert weights.mean().item() == pytest.approx(0, abs=2e-4)
