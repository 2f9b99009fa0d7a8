"""What is checked before a game begins."""

import pytest
import torch
from torch import nn

from ganbench.assembly import assemble
from ganbench.errors import ContractBroken
from ganbench_plugins.architectures.mlp import MLP


@pytest.mark.parametrize(
    ("discriminator", "generator", "message"),
    [
        (nn.Linear(1, 1), None, r"D has to return \[2\] from 2 latents; it made \[2, 1\]"),
        (None, nn.Linear(2, 3), r"G has to make \[2, 1\] from 2 latents; it made \[2, 3\]"),
    ],
)
def test_networks_of_other_shapes_are_refused(
    planned, monkeypatch, discriminator, generator, message
):
    """Logits of [batch, 1] would broadcast against [batch] in a paired loss."""
    experiment, data = planned()
    sound = MLP.build

    def build(self, shape):
        g, _ = sound(self, shape)
        if generator is None:
            return g, discriminator
        return generator, nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))

    monkeypatch.setattr(MLP, "build", build)
    with pytest.raises(ContractBroken, match=message) as refused:
        assemble(experiment, data, torch.device("cpu"))
    assert refused.value.part is MLP
