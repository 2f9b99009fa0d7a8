from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import nn

from ganbench.gradients import input_gradients
from ganbench.objective import (
    ContractBroken,
    Objective,
    Step,
    View,
    acts_as_penalty,
    acts_at_all,
)
from ganbench.randomness import Noise

REAL = torch.tensor([[1.0], [3.0]])
FAKE = torch.tensor([[-1.0], [0.0], [4.0]])
NOISE = Noise(torch.Generator())


class Doubling(nn.Module):
    """D(x) = 2 x, and a list of what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images)
        return self.weight * images[:, 0]


def step(discriminator: nn.Module, **parts: Any) -> Step:
    played = {"generator": None, "latents": None, "real": REAL, "fake": FAKE, "number": 0}
    played |= {"noise": NOISE, "augmentation_noise": NOISE}
    return Step(discriminator, **{**played, **parts})


@dataclass
class Difference:
    """L_D = mean fake - mean real, L_G = -mean fake; keeps what it was given."""

    given: list[Any] = field(default_factory=list)

    def discriminator_loss(self, real, fake):
        return fake.mean() - real.mean()

    def generator_loss(self, fake, real):
        self.given.append((fake, real))
        return -fake.mean()


@dataclass
class OfLogits:
    """weight * mean D(x)^2 over the real batch."""

    weight: float

    def __call__(self, discriminator, real, fake, noise):
        return self.weight * discriminator(real).square().mean()


@dataclass
class Returning:
    """A loss and a penalty that return what they are told to."""

    term: Any

    def discriminator_loss(self, real, fake):
        return self.term

    def generator_loss(self, fake, real):
        return self.term

    def __call__(self, discriminator, real, fake, noise):
        return self.term


def test_the_terms_by_hand():
    """D(real) = 2, 6; D(fake) = -2, 0, 8: mean fake - mean real = 2 - 4."""
    terms = Objective(Difference()).discriminator_terms(step(Doubling()))
    assert terms.loss.item() == -2.0
    assert terms.real.tolist() == [2.0, 6.0]
    assert terms.fake.tolist() == [-2.0, 0.0, 8.0]


def test_penalties_are_added():
    """mean D(real)^2 = (4 + 36) / 2 = 20, weighed 0.5 and 0.25."""
    objective = Objective(Difference(), [OfLogits(0.5), OfLogits(0.25)])
    terms = objective.discriminator_terms(step(Doubling()))
    assert terms.loss.item() == -2.0 + 10.0 + 5.0


def test_d_sees_each_batch_once_whoever_asks():
    discriminator = Doubling()
    objective = Objective(Difference(), [OfLogits(1.0), OfLogits(1.0)])
    terms = objective.discriminator_terms(step(discriminator))
    assert [batch is REAL for batch in discriminator.seen] == [True, False]
    assert discriminator.seen[1] is FAKE
    # L = w (mean fake - mean real) + 2 w^2 mean(real^2) = -w + 10 w^2, dL/dw = 20 w - 1, w = 2.
    terms.loss.backward()
    assert float(discriminator.weight.grad) == 39.0


def test_other_images_are_a_forward_pass_of_their_own():
    discriminator = Doubling()
    shared = View(discriminator, [], NOISE)
    assert shared(REAL) is shared(REAL)
    assert torch.equal(shared(REAL.clone()), shared(REAL))
    assert len(discriminator.seen) == 2


def test_a_penalty_gets_the_batches_and_the_noise():
    received = []

    def penalty(*arguments):
        received.extend(arguments[1:])
        return torch.zeros(())

    Objective(Difference(), [penalty]).discriminator_terms(step(Doubling()))
    real, fake, noise = received
    assert real is REAL
    assert fake is FAKE
    assert noise is NOISE


def test_the_generators_loss_by_hand():
    loss = Difference()
    value = Objective(loss).generator_loss(step(Doubling(), real=None))
    assert value.item() == -2.0
    ((fake, real),) = loss.given
    assert fake.tolist() == [-2.0, 0.0, 8.0]
    assert real is None


def test_the_generators_loss_gets_real_logits_where_there_are_real_images():
    loss = Difference()
    Objective(loss).generator_loss(step(Doubling()))
    ((fake, real),) = loss.given
    assert fake.tolist() == [-2.0, 0.0, 8.0]
    assert real.tolist() == [2.0, 6.0]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (torch.zeros(3), r"\[3\]"),
        (torch.zeros(1), r"\[1\]"),
        (torch.zeros(2, 2), r"\[2, 2\]"),
        (1.5, "float"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_scalar_tensor_breaks_the_contract(term, found):
    message = rf"^Returning has to return a scalar tensor; it returned {found}$"
    bad = Returning(term)
    calls = [
        lambda: Objective(bad).discriminator_terms(step(Doubling())),
        lambda: Objective(bad).generator_loss(step(Doubling(), real=None)),
        lambda: Objective(Difference(), [bad]).discriminator_terms(step(Doubling())),
    ]
    for call in calls:
        with pytest.raises(ContractBroken, match=message) as broken:
            call()
        assert broken.value.part is Returning


def test_constrain_is_the_losss_own_and_optional():
    class Clipping(Difference):
        def constrain(self, discriminator):
            discriminator.weight.data.clamp_(max=0.5)

    discriminator = Doubling()
    Objective(Difference()).constrain(discriminator)
    assert discriminator.weight.item() == 2.0
    Objective(Clipping()).constrain(discriminator)
    assert discriminator.weight.item() == 0.5


def test_only_a_loss_that_says_so_needs_real_images_in_gs_step():
    class Relativistic(Difference):
        needs_real_in_generator_step = True

    assert not Objective(Difference(), [OfLogits(1.0)]).needs_real_in_generator_step
    assert Objective(Relativistic()).needs_real_in_generator_step


@dataclass
class Every:
    """1, multiplied by `every` in every so many steps of D."""

    every: int

    def strength(self, discriminator_step):
        return self.every if discriminator_step % self.every == 0 else 0.0

    def __call__(self, discriminator, real, fake, noise):
        return torch.ones(())


def test_a_penalty_counts_with_its_strength_and_without_one_is_not_even_computed():
    objective = Objective(Difference(), [Every(3), OfLogits(0.5)])
    losses = [
        objective.discriminator_terms(step(Doubling(), number=number)).loss.item()
        for number in range(4)
    ]
    assert losses == [-2.0 + 10 + 3, -2.0 + 10, -2.0 + 10, -2.0 + 10 + 3]
    applied = [objective.applied_penalties(number) for number in range(4)]
    assert applied == [(True, True), (False, True), (False, True), (True, True)]


class Shifting:
    """x + by, for whatever D sees."""

    def __init__(self, by):
        self.by, self.noises = by, []

    def augment(self, images, noise):
        self.noises.append(noise)
        return images + self.by


def test_an_augmentation_is_what_d_sees_in_both_steps_in_the_order_given():
    class Scaling:
        def augment(self, images, noise):
            return images * 10

    discriminator, shifting = Doubling(), Shifting(1.0)
    objective = Objective(Difference(), [shifting, Scaling()])
    terms = objective.discriminator_terms(step(discriminator))
    assert terms.real.tolist() == [2 * 10 * (1 + 1), 2 * 10 * (3 + 1)]
    assert objective.generator_loss(step(discriminator, real=None)).item() == -20 * 2.0
    assert all(noise is NOISE for noise in shifting.noises)


def test_a_penalty_and_the_loss_see_one_augmentation_of_a_batch():
    discriminator, shifting = Doubling(), Shifting(1.0)
    objective = Objective(Difference(), [OfLogits(1.0), shifting])
    terms = objective.discriminator_terms(step(discriminator))
    assert terms.loss.item() == (0.0 + 2.0 + 10.0) / 3 - 6.0 + (16 + 64) / 2
    assert len(discriminator.seen) == len(shifting.noises) == 2


def test_a_gradient_at_the_batch_itself_shares_its_forward_pass():
    """R = mean (dD/dx)^2 = w^2 over the real batch, so dL/dw = mean f - mean r + 2 w."""

    class Slope:
        differentiates_real = True

        def __call__(self, discriminator, real, fake, noise):
            assert real.requires_grad
            assert not fake.requires_grad
            return input_gradients(discriminator, real).square().sum(1).mean()

    discriminator = Doubling()
    terms = Objective(Difference(), [Slope()]).discriminator_terms(step(discriminator))
    assert terms.loss.item() == -2.0 + 4.0
    assert len(discriminator.seen) == 2
    terms.loss.backward()
    assert discriminator.weight.grad.item() == 1.0 - 2.0 + 2 * 2.0
    assert not REAL.requires_grad


def test_the_fakes_that_count_are_selected_in_gs_step_alone():
    class Largest:
        def __init__(self):
            self.steps = []

        def select(self, fake, generator_step):
            self.steps.append(generator_step)
            return fake.topk(1).values

    loss, largest = Difference(), Largest()
    objective = Objective(loss, [largest])
    assert objective.generator_loss(step(Doubling(), real=None, number=7)).item() == -8.0
    assert objective.discriminator_terms(step(Doubling())).loss.item() == -2.0
    assert largest.steps == [7]


def test_terms_of_latents_are_for_d_and_terms_of_the_generator_for_g():
    @dataclass
    class Both:
        given: list[Any] = field(default_factory=list)

        def latent_term(self, discriminator, generator, latents, fake, noise):
            self.given.append((latents, fake))
            return generator(latents).sum() + discriminator(fake).sum()

        def generator_term(self, discriminator, generator, latents, fake, noise):
            return 100 * generator(latents).sum()

    both = Both()
    objective = Objective(Difference(), [both])
    played = {"generator": lambda latents: 3 * latents, "latents": torch.ones(2)}
    terms = objective.discriminator_terms(step(Doubling(), **played))
    assert terms.loss.item() == -2.0 + 6.0 + 6.0
    assert both.given[0][1] is FAKE
    loss = objective.generator_loss(step(Doubling(), real=None, **played))
    assert loss.item() == -2.0 + 600.0


def test_a_loss_of_embeddings_gets_those_and_no_logits_are_made():
    class Embedding(Doubling):
        def embed(self, images):
            return self.weight * images.repeat(1, 3)

        def forward(self, images):
            raise AssertionError

    class OfEmbeddings(Difference):
        uses_embeddings = True

        def discriminator_loss(self, real, fake):
            assert (real.shape, fake.shape) == ((2, 3), (3, 3))
            return super().discriminator_loss(real, fake)

    objective = Objective(OfEmbeddings())
    terms = objective.discriminator_terms(step(Embedding()))
    assert (terms.loss.item(), terms.real, terms.fake) == (-2.0, None, None)
    assert objective.generator_loss(step(Embedding(), real=None)).item() == -2.0


def test_a_module_is_a_penalty_only_if_it_can_be_called():
    class Callable(nn.Module):
        def forward(self, discriminator, real, fake, noise):
            return torch.ones(())

    class Selecting(nn.Module):
        def select(self, fake, generator_step):
            return fake

    assert acts_as_penalty(Callable)
    assert not acts_as_penalty(Selecting)
    assert acts_at_all(Selecting)
    assert not acts_at_all(nn.Module)
    assert not acts_at_all(Difference)
    objective = Objective(Difference(), [Callable(), Selecting()])
    assert objective.discriminator_terms(step(Doubling())).loss.item() == -2.0 + 1.0
    assert [name for name, _ in objective.modules()] == ["1", "2"]


class Augmenting:
    def __init__(self, act):
        self.augment = lambda images, noise: act(images)


@pytest.mark.parametrize(
    "act", [lambda x: None, lambda x: x[:1], lambda x: x.detach()], ids=["none", "half", "detached"]
)
def test_an_augmentation_that_d_can_not_use_breaks_the_contract(act):
    fake = FAKE.clone().requires_grad_()
    with pytest.raises(ContractBroken, match="has to return images of the shape given") as broken:
        Objective(Difference(), [Augmenting(act)]).generator_loss(
            step(Doubling(), real=None, fake=fake)
        )
    assert broken.value.part is Augmenting


@pytest.mark.parametrize("chosen", [None, torch.empty(0), torch.zeros(3, 1)], ids=str)
def test_a_selection_of_no_logits_breaks_the_contract(chosen):
    class Selecting:
        def select(self, fake, generator_step):
            return chosen

    with pytest.raises(ContractBroken, match="Selecting has to return one or more of the logits"):
        Objective(Difference(), [Selecting()]).generator_loss(step(Doubling(), real=None))


@pytest.mark.parametrize("strength", [None, -1.0, float("nan"), float("inf"), "2"])
def test_a_strength_that_is_none_breaks_the_contract(strength):
    class Strange(OfLogits):
        def strength(self, discriminator_step):
            return strength

    with pytest.raises(ContractBroken, match="Strange `strength` has to return a number"):
        Objective(Difference(), [Strange(1.0)]).discriminator_terms(step(Doubling()))
