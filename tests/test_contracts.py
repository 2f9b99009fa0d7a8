import re
from typing import Any

import pytest
import torch
from torch import nn

from ganbench.contracts import Given, check_state
from ganbench.errors import ContractBroken
from ganbench.gradients import input_gradients
from ganbench.objective import Objective, Step
from ganbench.randomness import Noise

NOISE = Noise(torch.Generator())


class Part:
    """A loss; what it is made to do, it does in its stead."""

    def __init__(self, **acts: Any) -> None:
        for name, act in acts.items():
            setattr(self, name, act)

    def discriminator_loss(self, real, fake):
        return fake.mean() - real.mean()

    def generator_loss(self, fake, real):
        return -fake.mean()


class Weight(nn.Module):
    """D(x) = w x, of the first feature."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, images):
        return self.weight * images[:, 0]


def play(part: Part, player: str) -> None:
    """A step in which the part is the loss where it has an act of one, else an addition."""
    latents, real = torch.ones(3, 2), torch.randn(3, 1)
    scale = torch.ones((), requires_grad=player == "G")
    fake = scale * torch.randn(3, 1)
    step = Step(Weight(), lambda z: scale * z[:, :1], latents, real, fake, NOISE, NOISE, 0)
    is_loss = any(name.endswith("_loss") for name in vars(part))
    objective = Objective(part) if is_loss else Objective(Part(), [part])
    if player == "D":
        objective.discriminator_terms(step)
    else:
        objective.generator_loss(step)


def zero(tensor: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        tensor.zero_()
    return tensor


def detached(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().mul_(0)


def part_of(tensor: torch.Tensor) -> torch.Tensor:
    tensor.detach()[1:] = 0
    return tensor


CHANGES = {
    "loss of D, real": ("D", {"discriminator_loss": lambda r, f: zero(r).sum() + f.sum()}),
    "loss of D, fake": ("D", {"discriminator_loss": lambda r, f: detached(f).sum() + r.sum()}),
    "loss of G, fake": ("G", {"generator_loss": lambda f, r: part_of(f).sum()}),
    "loss of G, real": ("G", {"generator_loss": lambda f, r: zero(r).sum() + f.sum()}),
    "penalty, real": ("D", {"penalize": lambda d, r, f, n: zero(r).sum()}),
    "penalty, fake": ("D", {"penalize": lambda d, r, f, n: part_of(f).sum()}),
    "penalty, D's logits": ("D", {"penalize": lambda d, r, f, n: zero(d(r)).sum()}),
    "D's term of latents": ("D", {"latent_term": lambda d, g, z, f, n: zero(z).sum()}),
    "G's term, latents": ("G", {"generator_term": lambda d, g, z, f, n: zero(z).sum()}),
    "G's term, fake": ("G", {"generator_term": lambda d, g, z, f, n: detached(f).sum()}),
    "augmentation": ("D", {"augment": lambda images, n: images.neg_()}),
    "augmentation of G's": ("G", {"augment": lambda images, n: 1 * zero(images)}),
    "selection": ("G", {"select": lambda fake, step: part_of(fake)}),
}


class Penalty(Part):
    def __call__(self, *given):
        return self.penalize(*given)


@pytest.mark.parametrize("case", CHANGES)
def test_a_part_that_changes_what_it_is_given_is_refused(case):
    player, acts = CHANGES[case]
    part = (Penalty if "penalize" in acts else Part)(**acts)
    with pytest.raises(ContractBroken, match="changes its input in place") as broken:
        play(part, player)
    assert broken.value.part is type(part)


def test_work_on_a_clone_and_gradients_at_the_input_are_no_change():
    class Sound(Penalty):
        differentiates_real = True

    def penalize(d, real, fake, noise):
        copy = fake.detach().clone().mul_(0.5)
        slope = input_gradients(d, real).square().sum()
        return slope + d(copy).mul(0).sum() + zero(real.clone()).sum()

    play(Sound(penalize=penalize), "D")


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (torch.zeros((), dtype=torch.complex64, requires_grad=True), "scalar tensor.* [] of comp"),
        (torch.tensor(1), "scalar tensor; it returned [] of int64"),
        (torch.tensor(True), "scalar tensor; it returned [] of bool"),
        (torch.zeros((), device="meta", requires_grad=True), "tensor on cpu; .* one on meta"),
    ],
)
def test_a_term_of_another_kind_or_elsewhere_is_refused(term, found):
    match = f"has to return a {found}".replace("[", r"\[").replace("]", r"\]")
    for player, acts in (
        ("D", {"discriminator_loss": lambda r, f: term}),
        ("G", {"generator_loss": lambda f, r: term}),
        ("D", {"penalize": lambda *_: term}),
        ("G", {"generator_term": lambda *_: term}),
    ):
        with pytest.raises(ContractBroken, match=match):
            play((Penalty if "penalize" in acts else Part)(**acts), player)


def test_a_constant_on_the_cpu_may_be_added_but_is_no_loss():
    """To a loss on a GPU, for which the device that stores nothing stands in."""
    given, constant = Given(torch.zeros(3, device="meta")), torch.zeros(())
    assert given.scalar(constant, Part()) is constant
    with pytest.raises(ContractBroken, match="tensor on meta; it returned one on cpu"):
        given.descendable(constant.requires_grad_(), Part())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_any_float_will_do(dtype):
    play(Part(discriminator_loss=lambda r, f: (r - f).mean().to(dtype)), "D")


class Remembering(nn.Module):
    def get_extra_state(self):
        return {"calls": 3}


def test_a_state_of_anything_but_tensors_is_refused():
    check_state(nn.BatchNorm1d(3), Part())
    message = "Part keeps '0._extra_state' in its state, of the type dict; a checkpoint holds"
    with pytest.raises(ContractBroken, match=re.escape(message)):
        check_state(nn.Sequential(Remembering()), Part())
