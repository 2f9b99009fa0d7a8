"""SNGAN's residual networks, layer by layer."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from ganbench_plugins.architectures.resnet import ResNet


def _count(network):
    return sum(p.numel() for p in network.parameters())


def test_parameters_of_the_papers_networks():
    """Counted by hand from the layers of sngan_projection's gen_models and dis_models."""
    with torch.device("meta"):
        generator, discriminator = ResNet(discriminator_norm="none").build((3, 32, 32))
    conv3, conv1 = (256 * 256 * 9 + 256), (256 * 256 + 256)
    block = 2 * 2 * 256 + 2 * conv3 + conv1
    assert _count(generator) == 129 * 4096 + 3 * block + 2 * 256 + (256 * 9 * 3 + 3) == 4_276_739
    conv3, conv1 = (128 * 128 * 9 + 128), (128 * 128 + 128)
    first = (3 * 9 * 128 + 128) + conv3 + (3 * 128 + 128)
    assert _count(discriminator) == first + (2 * conv3 + conv1) + 4 * conv3 + 129 == 1_053_825


def _block(block, x, norms):
    """A block by torch's functions; `norms` is what goes before its two convolutions."""
    first, second = (m for m in block.residual.modules() if isinstance(m, nn.Conv2d))
    h = functional.conv2d(functional.relu(norms[0](x)), first.weight, first.bias, padding=1)
    return functional.conv2d(functional.relu(norms[1](h)), second.weight, second.bias, padding=1)


def test_the_discriminator_by_hand():
    torch.manual_seed(0)
    architecture = ResNet(discriminator_width=4, generator_width=4, discriminator_norm="none")
    _, discriminator = architecture.build((3, 32, 32))
    x = torch.randn(2, 3, 32, 32)
    first, halving, *flat = list(discriminator.body)[:4]
    c1, c2 = (m for m in first.residual if isinstance(m, nn.Conv2d))
    h = functional.avg_pool2d(c2(functional.relu(c1(x))), 2)
    h = h + first.shortcut[1](functional.avg_pool2d(x, 2))
    assert h.shape == (2, 4, 16, 16)
    plain = (nn.Identity(), nn.Identity())
    residual = functional.avg_pool2d(_block(halving, h, plain), 2)
    h = residual + functional.avg_pool2d(halving.shortcut[0](h), 2)
    for block in flat:
        h = h + _block(block, h, plain)
    assert h.shape == (2, 4, 8, 8)
    embeddings = functional.relu(h).sum((2, 3))
    torch.testing.assert_close(discriminator.embed(x), embeddings)
    torch.testing.assert_close(discriminator(x), discriminator.head(embeddings).flatten())


def test_the_generator_by_hand():
    torch.manual_seed(0)
    generator, _ = ResNet(generator_width=4, discriminator_width=4).build((3, 32, 32))
    z = torch.randn(5, 128)
    h = generator[0](z).view(5, 4, 4, 4)
    normal = lambda x: functional.batch_norm(x, None, None, training=True)  # noqa: E731
    for block in list(generator)[2:5]:
        c1, c2 = (m for m in block.residual if isinstance(m, nn.Conv2d))
        double = lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3)  # noqa: E731
        residual = c2(functional.relu(normal(c1(double(functional.relu(normal(h)))))))
        h = residual + block.shortcut[0](double(h))
    images = torch.tanh(generator[7](functional.relu(normal(h))))
    assert images.shape == (5, 3, 32, 32)
    torch.testing.assert_close(generator(z), images, atol=1e-5, rtol=1e-4)


def test_glorot_weights_with_a_gain_in_blocks():
    torch.manual_seed(0)
    architecture = ResNet(generator_width=64, discriminator_width=64, discriminator_norm="none")
    generator, discriminator = architecture.build((3, 16, 16))
    for network, start in ((generator, 2), (discriminator, 1)):
        block = network[start] if network is generator else network.body[start]
        for layer in block.residual.modules():
            if isinstance(layer, nn.Conv2d):
                expected = math.sqrt(2) * math.sqrt(2 / (64 * 9 + 64 * 9))
                assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
                assert not layer.bias.any()
        assert block.shortcut[0].weight.std().item() == pytest.approx(math.sqrt(2 / 128), rel=0.03)
    dense = generator[0].weight.std().item()
    assert dense == pytest.approx(math.sqrt(2 / (128 + 64 * 4)), rel=0.02)


@pytest.mark.parametrize(("initialisation", "std"), [("normal", 0.02), ("orthogonal", 1 / 24)])
def test_other_initialisations(initialisation, std):
    """Orthogonal rows of 64 x 9 values have a length of 1."""
    torch.manual_seed(0)
    architecture = ResNet(
        discriminator_width=64, discriminator_norm="none", initialisation=initialisation,
        generator_width=4,
    )  # fmt: skip
    _, discriminator = architecture.build((3, 16, 16))
    layers = [m for m in discriminator.body[2].modules() if isinstance(m, nn.Conv2d)]
    assert layers[0].weight.std().item() == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize(
    ("norm", "layer"),
    [("batch", nn.BatchNorm2d), ("layer", nn.GroupNorm), ("instance", nn.InstanceNorm2d)],
)
def test_norms_are_before_both_convolutions_of_all_blocks_but_the_first(norm, layer):
    architecture = ResNet(generator_width=4, discriminator_width=4, discriminator_norm=norm)
    _, discriminator = architecture.build((3, 16, 16))
    blocks = list(discriminator.body)[:4]
    counts = [sum(isinstance(m, layer) for m in block.modules()) for block in blocks]
    assert counts == [0, 2, 2, 2]
