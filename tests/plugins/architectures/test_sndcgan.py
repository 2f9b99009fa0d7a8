"""SNGAN's standard CNN: the table of its paper, and what others made of it."""

import pytest
import torch
from torch import nn

from ganbench.api import Unsupported
from ganbench_plugins.architectures.sndcgan import SNDCGAN

# Kernel, stride and output channels of D's convolutions.
PAPER = [(3, 1, 64), (4, 2, 64), (3, 1, 128), (4, 2, 128), (3, 1, 256), (4, 2, 256), (3, 1, 512)]
STRIDED = [(3, 1, 64), (4, 2, 128), (3, 1, 128), (4, 2, 256), (3, 1, 256), (4, 2, 512), (3, 1, 512)]


def _meta(**fields):
    with torch.device("meta"):
        return SNDCGAN(discriminator_norm="none", **fields).build((3, 32, 32))


def _convolutions(network, kind=nn.Conv2d):
    layers = [m for m in network.modules() if isinstance(m, kind)]
    return [(m.kernel_size[0], m.stride[0], m.out_channels) for m in layers]


@pytest.mark.parametrize(
    ("variant", "table"), [("paper", PAPER), ("compare-gan", STRIDED), ("studiogan", PAPER)]
)
def test_the_discriminators_layers(variant, table):
    _, discriminator = _meta(variant=variant)
    assert _convolutions(discriminator) == table


@pytest.mark.parametrize("variant", ["paper", "compare-gan", "studiogan"])
def test_the_generators_layers(variant):
    generator, _ = _meta(variant=variant)
    assert (generator[0].in_features, generator[0].out_features) == (128, 512 * 4 * 4)
    ups = _convolutions(generator, nn.ConvTranspose2d)
    assert ups == [(4, 2, 256), (4, 2, 128), (4, 2, 64)]
    assert _convolutions(generator) == [(3, 1, 3)]
    assert isinstance(generator[1], nn.BatchNorm1d) is (variant == "compare-gan")


@pytest.mark.parametrize(
    ("variant", "inputs", "slope"),
    [("paper", 512 * 16, 0.1), ("compare-gan", 512 * 16, 0.1), ("studiogan", 512, 0.0)],
)
def test_the_head_and_the_slope(variant, inputs, slope):
    _, discriminator = _meta(variant=variant)
    assert discriminator.head.in_features == inputs
    slopes = {m.negative_slope for m in discriminator.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {slope}


@pytest.mark.parametrize(("variant", "norms"), [("paper", 6), ("compare-gan", 6), ("studiogan", 7)])
def test_where_the_discriminators_norms_are(variant, norms):
    architecture = SNDCGAN(width=4, variant=variant, discriminator_norm="batch")
    _, discriminator = architecture.build((3, 32, 32))
    parts = [m for m in discriminator.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    assert sum(isinstance(m, nn.BatchNorm2d) for m in parts) == norms
    for layer, after in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(layer, nn.Conv2d):
            assert (layer.bias is None) is isinstance(after, nn.BatchNorm2d)


def test_sum_pooling_sums():
    torch.manual_seed(0)
    architecture = SNDCGAN(width=2, variant="studiogan", discriminator_norm="none")
    _, discriminator = architecture.build((3, 32, 32))
    images = torch.randn(2, 3, 32, 32)
    maps = discriminator.body[:-1](images)
    assert maps.shape == (2, 16, 4, 4)
    torch.testing.assert_close(discriminator.embed(images), maps.flatten(2).sum(2))


def test_it_starts_from_the_authors_distribution():
    torch.manual_seed(0)
    for network in SNDCGAN().build((3, 32, 32)):
        weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() > 1])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)
        assert all(not m.bias.any() for m in network.modules() if isinstance(m, nn.Conv2d))


def test_orthogonal_weights():
    torch.manual_seed(0)
    architecture = SNDCGAN(width=4, discriminator_norm="batch", initialisation="orthogonal")
    _, discriminator = architecture.build((3, 16, 16))
    rows = discriminator.body[3].weight.flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), atol=1e-5, rtol=0)


def test_instance_norm_needs_an_innermost_map_of_more_than_one_pixel():
    architecture = SNDCGAN(width=4, discriminator_norm="instance")
    with pytest.raises(Unsupported, match=r"instance norm needs images of 16 pixels or more"):
        architecture.check((3, 8, 8))
    architecture.check((3, 16, 16))
    SNDCGAN(discriminator_norm="layer").check((3, 8, 8))


def test_images_are_in_range():
    generator, _ = SNDCGAN(width=4).build((3, 16, 16))
    assert generator(100 * torch.randn(3, 128)).abs().max() <= 1
