"""Fully connected networks: the weights of the plain sequence of layers."""

import pytest
import torch
from torch import nn

from ganbench_plugins.architectures.mlp import MLP


def test_a_seed_gives_the_weights_of_the_plain_sequence():
    """Version 1's numbers: no draw may come, go or move."""
    torch.manual_seed(7)
    expected = [
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, out))
        for out in (3, 1)
    ]
    torch.manual_seed(7)
    built = MLP(latent_size=3, width=8).build((3,))
    batch = torch.randn(4, 3)
    for network, by_hand in zip(built, expected, strict=True):
        pairs = zip(network.parameters(), by_hand.parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
        assert torch.equal(network(batch).flatten(), by_hand(batch).flatten())


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(("norm", "layer"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm)])
def test_a_norm_is_in_each_hidden_layer_of_the_discriminator(norm, layer, depth):
    generator, discriminator = MLP(width=4, depth=depth, discriminator_norm=norm).build((2,))
    parts = [type(m) for m in discriminator.body]
    assert parts == depth * [nn.Linear, layer, nn.ReLU]
    assert discriminator.body[0].bias is None or norm != "batch"
    assert not any(isinstance(m, layer) for m in generator.modules())


def test_sizes():
    _, discriminator = MLP(width=16, depth=2).build((5,))
    sizes = [tuple(p.shape) for p in discriminator.parameters() if p.dim() == 2]
    assert sizes == [(16, 5), (16, 16), (1, 16)]
