"""What is checked before a game begins."""

from typing import ClassVar

import pytest
import torch
from torch import nn

from ganbench.assembly import assemble, schedule_of
from ganbench.catalogue import LOSS, PENALTY, SCHEDULE
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


class Counting(nn.Module):
    """Keeps a number in its state as a number."""

    version: ClassVar[int] = 1

    def get_extra_state(self):
        return 3

    def set_extra_state(self, state): ...
    def discriminator_loss(self, real, fake): ...
    def generator_loss(self, fake, real): ...
    def discriminator_steps(self, generator_step): ...
    def forward(self, discriminator, real, fake, noise): ...


@pytest.mark.parametrize(
    ("kind", "spec", "schedule"),
    [(LOSS, "odd", "k-step"), (PENALTY, "nonsat+odd", "k-step"), (SCHEDULE, "nonsat", "odd")],
    ids=["loss", "penalty", "schedule"],
)
def test_a_part_whose_state_no_checkpoint_can_hold_is_refused(planned, kind, spec, schedule):
    experiment, data = planned(spec, (kind, "odd", Counting), schedule=schedule)
    with pytest.raises(ContractBroken, match="keeps '_extra_state' in its state, of the type int"):
        assemble(experiment, data, torch.device("cpu")), schedule_of(experiment)


def test_networks_whose_state_no_checkpoint_can_hold_are_refused(planned, monkeypatch):
    experiment, data = planned()
    sound = MLP.build

    def build(self, shape):
        g, d = sound(self, shape)
        d.counter = Counting()
        return g, d

    monkeypatch.setattr(MLP, "build", build)
    with pytest.raises(ContractBroken, match=r"keeps 'counter\._extra_state'") as refused:
        assemble(experiment, data, torch.device("cpu"))
    assert refused.value.part is MLP
