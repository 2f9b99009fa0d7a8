"""A game restored from a checkpoint goes on as if it had never stopped, to the bit."""

from itertools import islice

import pytest
import safetensors.torch
import torch

from ganbench.assembly import assemble
from ganbench.checkpoint import capture, restore
from ganbench.training import train

CPU = torch.device("cpu")


def play(game, schedule, rounds):
    for _ in islice(train(game, schedule), rounds):
        pass


@pytest.mark.parametrize(
    "protocol",
    [
        {},
        {"optimizer": "rmsprop"},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "beta1": "0.0"},
        {"ema_half_life_kimg": "0.05", "ema_burn_in_kimg": "0.1"},
        {"lr_decay": "linear"},
        {"latents": "uniform"},
    ],
    ids=str,
)
def test_the_restored_game_goes_on_to_the_bit(planned, protocol):
    experiment, data = planned("nonsat+gp:every=3", schedule="k-step:k=2", **protocol)
    schedule = experiment.schedule.create()

    def fresh():
        return assemble(experiment, data, CPU)

    straight = fresh()
    play(straight, schedule, 7)
    straight.scale_lr(0.5)
    play(straight, schedule, 9)

    first = fresh()
    play(first, schedule, 7)
    first.scale_lr(0.5)
    stored = safetensors.torch.save(capture(first, schedule))
    play(first, schedule, 2)  # what comes after the capture does not reach into it
    torch.manual_seed(99)
    second = fresh()
    restore(second, schedule, safetensors.torch.load(stored))
    play(second, schedule, 9)

    expected, found = capture(straight, schedule), capture(second, schedule)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    assert second.discriminator_steps == 32


def test_a_capture_is_of_its_moment(planned):
    experiment, data = planned()
    game, schedule = assemble(experiment, data, CPU), experiment.schedule.create()
    play(game, schedule, 2)
    before = capture(game, schedule)
    kept = {name: tensor.clone() for name, tensor in before.items()}
    play(game, schedule, 2)
    after = capture(game, schedule)
    assert all(torch.equal(before[name], kept[name]) for name in kept)
    changed = {name.partition("/")[0] for name in kept if not torch.equal(kept[name], after[name])}
    assert changed >= {"generator", "discriminator", "generator_optimizer", "streams", "batches"}
