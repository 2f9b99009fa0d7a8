from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import nn

from ganbench.objective import ContractBroken, Objective, SharedForward
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
    terms = Objective(Difference()).discriminator_terms(Doubling(), REAL, FAKE, NOISE)
    assert terms.loss.item() == -2.0
    assert terms.real.tolist() == [2.0, 6.0]
    assert terms.fake.tolist() == [-2.0, 0.0, 8.0]


def test_penalties_are_added():
    """mean D(real)^2 = (4 + 36) / 2 = 20, weighed 0.5 and 0.25."""
    objective = Objective(Difference(), [OfLogits(0.5), OfLogits(0.25)])
    terms = objective.discriminator_terms(Doubling(), REAL, FAKE, NOISE)
    assert terms.loss.item() == -2.0 + 10.0 + 5.0


def test_d_sees_each_batch_once_whoever_asks():
    discriminator = Doubling()
    objective = Objective(Difference(), [OfLogits(1.0), OfLogits(1.0)])
    terms = objective.discriminator_terms(discriminator, REAL, FAKE, NOISE)
    assert [batch is REAL for batch in discriminator.seen] == [True, False]
    assert discriminator.seen[1] is FAKE
    # L = w (mean fake - mean real) + 2 w^2 mean(real^2) = -w + 10 w^2, dL/dw = 20 w - 1, w = 2.
    terms.loss.backward()
    assert float(discriminator.weight.grad) == 39.0


def test_other_images_are_a_forward_pass_of_their_own():
    discriminator = Doubling()
    shared = SharedForward(discriminator)
    assert shared(REAL) is shared(REAL)
    assert torch.equal(shared(REAL.clone()), shared(REAL))
    assert len(discriminator.seen) == 2


def test_a_penalty_gets_the_batches_and_the_noise():
    received = []

    def penalty(*arguments):
        received.extend(arguments[1:])
        return torch.zeros(())

    Objective(Difference(), [penalty]).discriminator_terms(Doubling(), REAL, FAKE, NOISE)
    real, fake, noise = received
    assert real is REAL
    assert fake is FAKE
    assert noise is NOISE


def test_the_generators_loss_by_hand():
    loss = Difference()
    value = Objective(loss).generator_loss(Doubling(), FAKE, None)
    assert value.item() == -2.0
    ((fake, real),) = loss.given
    assert fake.tolist() == [-2.0, 0.0, 8.0]
    assert real is None


def test_the_generators_loss_gets_real_logits_where_there_are_real_images():
    loss = Difference()
    Objective(loss).generator_loss(Doubling(), FAKE, REAL)
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
        lambda: Objective(bad).discriminator_terms(Doubling(), REAL, FAKE, NOISE),
        lambda: Objective(bad).generator_loss(Doubling(), FAKE, None),
        lambda: Objective(Difference(), [bad]).discriminator_terms(Doubling(), REAL, FAKE, NOISE),
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


def test_what_an_objective_needs_is_what_its_parts_declare():
    class Relativistic(Difference):
        needs_real_in_generator_step = True

    class PerSample(OfLogits):
        per_sample_discriminator = True

    plain = Objective(Difference(), [OfLogits(1.0)])
    assert not plain.needs_real_in_generator_step
    assert not plain.needs_per_sample_discriminator
    assert Objective(Relativistic()).needs_real_in_generator_step
    assert Objective(Difference(), [OfLogits(1.0), PerSample(1.0)]).needs_per_sample_discriminator
