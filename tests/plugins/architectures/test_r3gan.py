"""R3GAN: published sizes, its first weights, and its resampling."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from ganbench_plugins.architectures.r3gan import R3GAN, _Block, _Downsampling, _Upsampling


def _count(network):
    return sum(p.numel() for p in network.parameters())


def test_parameters_of_the_papers_networks_for_cifar():
    """Published: 20.78 and 21.28 million, with the embeddings of 10 classes in both."""
    with torch.device("meta"):
        generator, discriminator = R3GAN().build((3, 32, 32))
    classes = 10 * 64 + 64 * 768  # 64 more inputs of G
    assert round((_count(generator) + classes) / 1e6, 2) == 20.78
    classes = 10 * 768 + 768 * 768 - 768  # D's last layer has 768 outputs in place of 1
    assert round((_count(discriminator) + classes) / 1e6, 2) == 21.28


def test_the_papers_cardinality():
    with torch.device("meta"):
        _, discriminator = R3GAN().build((3, 32, 32))
    grouped = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d) and m.groups == 96]
    assert len(grouped) == 8
    assert {m.kernel_size for m in grouped} == {(3, 3)}
    assert {m.in_channels for m in grouped} == {1536}


@pytest.mark.parametrize(("side", "stages"), [(8, 2), (16, 3), (32, 4), (64, 5)])
def test_stages_follow_from_the_side(side, stages):
    with torch.device("meta"):
        generator, discriminator = R3GAN(width=8, blocks=3).build((1, side, side))
    for network in (generator, discriminator):
        resamplings = [m for m in network.modules() if isinstance(m, (_Upsampling, _Downsampling))]
        assert len(resamplings) == stages - 1
        blocks = [m for m in network.modules() if isinstance(m, _Block)]
        assert len(blocks) == 3 * stages


def test_a_block_starts_as_the_identity():
    torch.manual_seed(0)
    generator, _ = R3GAN(width=8).build((1, 16, 16))
    maps = torch.randn(2, 8, 4, 4)
    assert torch.equal(generator[1](maps), maps)


def test_first_weights():
    torch.manual_seed(0)
    generator, discriminator = R3GAN(width=64).build((3, 32, 32))
    first, _, grouped, _, last = generator[1].residual
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    assert first.weight.std().item() == pytest.approx(gain / math.sqrt(64), rel=0.02)
    assert grouped.weight.std().item() == pytest.approx(gain / math.sqrt(16 * 9), rel=0.02)
    assert not last.weight.any()
    assert last.bias is None
    assert not first.bias.any()
    assert generator[0].patterns.std().item() == pytest.approx(1, rel=0.05)
    assert generator[0].strengths.weight.std().item() == pytest.approx(1 / 8, rel=0.05)
    assert generator[-1].weight.std().item() == pytest.approx(1 / 8, rel=0.2)
    assert discriminator.body[0].weight.std().item() == pytest.approx(3**-0.5, rel=0.2)
    assert discriminator.body[-2].weight.std().item() == pytest.approx(1 / 4, rel=0.05)
    assert discriminator.head.weight.std().item() == pytest.approx(1 / 8, rel=0.3)


def test_images_start_as_patterns_times_a_function_of_the_latents():
    torch.manual_seed(0)
    generator, _ = R3GAN(width=8).build((1, 8, 8))
    z = torch.randn(3, 64)
    strengths = z @ generator[0].strengths.weight.T
    maps = torch.einsum("cij,bc->bcij", generator[0].patterns, strengths)
    expected = generator[-1](_Upsampling()(maps))  # blocks are still the identity
    torch.testing.assert_close(generator(z), expected)


def test_upsampling_is_bilinear_away_from_the_border():
    maps = torch.randn(2, 3, 6, 6)
    bilinear = functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(_Upsampling()(maps)[inside], bilinear[inside])
    # At the border a quarter of the weight falls on zeros outside.
    corner = _Upsampling()(torch.ones(1, 1, 4, 4))[0, 0, 0, 0]
    assert corner.item() == pytest.approx(0.75**2)


def test_downsampling_weighs_by_1_3_3_1():
    impulse = torch.zeros(1, 2, 4, 4)
    impulse[0, 1, 1, 2] = 64.0
    # Output i sees rows 2i - 1 to 2i + 2: row 1 with 3 and 1, column 2 with 1 and 3, all by 64.
    expected = torch.tensor([[3.0, 9.0], [1.0, 3.0]])
    result = _Downsampling()(impulse)
    torch.testing.assert_close(result[0, 1], expected)
    assert not result[0, 0].any()


def test_groups_have_to_divide_the_channels_inside():
    with pytest.raises(ValueError, match=r"group_width=16 does not divide 2 \* width = 24"):
        R3GAN(width=12)
    R3GAN(width=12, group_width=8)
