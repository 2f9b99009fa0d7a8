"""Algorithm 1 of Goodfellow et al. (2014): k discriminator steps, then one generator step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

from ganbench.components import Images, Logits, Scalar, Schedule
from ganbench.errors import ContractBroken
from ganbench.objective import DiscriminatorTerms, Objective
from ganbench.randomness import Streams


@dataclass(frozen=True)
class Player:
    """A network and what moves it."""

    network: nn.Module
    optimizer: Optimizer

    def descend(self, loss: Scalar) -> Scalar:
        """Take one optimizer step down `loss`; return its value, detached."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    @contextmanager
    def frozen(self) -> Iterator[nn.Module]:
        """Within, gradients pass through the network and none is made for its parameters."""
        moving = [p for p in self.network.parameters() if p.requires_grad]
        for parameter in moving:
            parameter.requires_grad_(False)
        try:
            yield self.network
        finally:
            for parameter in moving:
                parameter.requires_grad_(True)


class Round(NamedTuple):
    """What one round left behind, detached: a triple for each of D's steps, and G's loss."""

    discriminator: tuple[DiscriminatorTerms, ...]
    generator_loss: Scalar


@dataclass(frozen=True)
class Game:
    """Two players, what they play for, and the run's own randomness.

    `batches` feeds D; `generator_batches` feeds losses that need real images in G's step. They
    are streams apart, so that what a loss needs does not change what D sees.
    """

    generator: Player
    discriminator: Player
    objective: Objective
    streams: Streams
    batch_size: int
    batches: Iterator[Images]
    generator_batches: Iterator[Images]

    def discriminator_step(self) -> DiscriminatorTerms:
        """Move D on a fresh real batch and as many fresh fakes, which carry no graph."""
        with torch.no_grad():
            fake = self.generator.network(self.streams.discriminator_latents(self.batch_size))
        loss, real_logits, fake_logits = self.objective.discriminator_terms(
            self.discriminator.network, next(self.batches), fake, self.streams.noise
        )
        value = self.discriminator.descend(loss)
        self.objective.constrain(self.discriminator.network)
        return DiscriminatorTerms(value, real_logits.detach(), fake_logits.detach())

    def generator_step(self) -> Scalar:
        """Move G on fresh latents; D only passes gradients through."""
        real = next(self.generator_batches) if self.objective.needs_real_in_generator_step else None
        fake = self.generator.network(self.streams.generator_latents(self.batch_size))
        with self.discriminator.frozen() as discriminator:
            loss = self.objective.generator_loss(discriminator, fake, real)
        return self.generator.descend(loss)


def train(game: Game, schedule: Schedule) -> Iterator[Round]:
    """Alternate the schedule's discriminator steps with one generator step, for ever.

    Yields after each generator step and never stops by itself: the caller decides what to
    record, when to evaluate and when the budget is spent.
    """
    for step in count():
        moves = schedule.discriminator_steps(step)
        if not isinstance(moves, int) or moves < 0:
            raise ContractBroken(type(schedule), f"has to return a count of steps, not {moves!r}")
        discriminator = tuple([game.discriminator_step() for _ in range(moves)])
        yield Round(discriminator, game.generator_step())


def value_function(real: Logits, fake: Logits) -> Scalar:
    """V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], D = sigmoid of the logits.

    At the equilibrium of the original game it is -log 4 = -1.386.
    """
    return -softplus(-real).mean() - softplus(fake).mean()
