"""What each architecture makes, and which shapes it refuses."""

import pytest
import torch

from ganbench.api import Unsupported
from ganbench_plugins.architectures.dcgan import DCGAN
from ganbench_plugins.architectures.mlp import MLP

SIDES = [8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", SIDES)
def test_dcgan_makes_and_judges_images_of_every_size_it_names(side, channels):
    shape = (channels, side, side)
    architecture = DCGAN(latent_size=5, width=4)
    architecture.check(shape)
    generator, discriminator = architecture.build(shape)
    images = generator(torch.randn(3, 5))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (3,)


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 9, 9), (1, 36, 36), (1, 128, 128)])
def test_dcgan_refuses_sides_it_can_not_halve(shape):
    with pytest.raises(Unsupported, match=r"side of 8, 10, .*the data has the shape"):
        DCGAN().check(shape)


@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 8, 16), (2,)])
def test_dcgan_refuses_other_channels_oblongs_and_points(shape):
    with pytest.raises(Unsupported, match="square images of 1 or 3 channels"):
        DCGAN().check(shape)


def test_dcgans_innermost_map_is_4_wide_at_32_pixels():
    _, discriminator = DCGAN(width=8).build((3, 32, 32))
    assert [tuple(m.weight.shape[:2]) for m in discriminator if hasattr(m, "stride")] == [
        (8, 3), (16, 8), (32, 16), (1, 32),
    ]  # fmt: skip
    assert discriminator[-2].kernel_size == (4, 4)


@pytest.mark.parametrize(("norm", "mixes"), [("batch", True), ("none", False)])
def test_dcgan_says_truly_whether_its_discriminator_mixes_samples(norm, mixes):
    architecture = DCGAN(width=8, discriminator_norm=norm)
    assert architecture.discriminator_mixes_samples is mixes
    torch.manual_seed(0)
    _, discriminator = architecture.build((1, 16, 16))
    images = torch.randn(6, 1, 16, 16)
    alone, together = discriminator(images[:2])[0], discriminator(images)[0]
    assert torch.allclose(alone, together, atol=1e-6) is not mixes


def test_dcgan_starts_from_the_papers_distribution():
    torch.manual_seed(0)
    generator, discriminator = DCGAN(width=64).build((3, 32, 32))
    for network in (generator, discriminator):
        weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() == 4])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)
        assert weights.mean().item() == pytest.approx(0, abs=2e-4)


@pytest.mark.parametrize("features", [1, 2, 7])
def test_mlp_makes_and_judges_points(features):
    architecture = MLP(latent_size=3, width=16, depth=2)
    architecture.check((features,))
    generator, discriminator = architecture.build((features,))
    points = generator(torch.randn(5, 3))
    assert points.shape == (5, features)
    assert discriminator(points).shape == (5,)
    sizes = [tuple(p.shape) for p in discriminator.parameters() if p.dim() == 2]
    assert sizes == [(16, features), (16, 16), (1, 16)]


def test_mlp_refuses_images():
    with pytest.raises(Unsupported, match=r"points.*\[1, 8, 8\]"):
        MLP().check((1, 8, 8))
