"""Algorithm 1 of Goodfellow et al. (2014): k discriminator steps, then one generator step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, TypeAlias

import torch
from torch import nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

from ganbench.averaging import MovingAverage
from ganbench.batches import Batches
from ganbench.components import Images, Latents, Logits, Scalar, Schedule
from ganbench.contracts import Given
from ganbench.errors import ContractBroken
from ganbench.objective import Objective, Step
from ganbench.randomness import Streams

Acceptance: TypeAlias = Callable[..., bool]  # see `Schedule`


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

    @property
    def has_gradient(self) -> bool:
        """Whether the last loss reached it."""
        groups = self.optimizer.param_groups
        return any(p.grad is not None for group in groups for p in group["params"])

    def scale_lr(self, scale: float) -> None:
        """Set the learning rate to this share of what it was at the start."""
        for group in self.optimizer.param_groups:
            group["lr"] = scale * group.setdefault("initial_lr", group["lr"])

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


class DiscriminatorMove(NamedTuple):
    """What one of D's steps left behind, detached.

    Args:
        real: D's logits, None where the loss uses its embeddings; so for `fake`.
        moved: False where the schedule did not accept the step.
    """

    loss: Scalar
    real: Logits | None
    fake: Logits | None
    moved: bool


class Round(NamedTuple):
    """What one round left behind: each of D's steps, and G's loss, detached."""

    discriminator: tuple[DiscriminatorMove, ...]
    generator_loss: Scalar


@dataclass
class Game:
    """Two players, what they play for, the run's own randomness, and how far they are.

    `batches` feeds D; `generator_batches` feeds losses that need real images in G's step. They
    are streams apart, so that what a loss needs does not change what D sees.
    """

    generator: Player
    discriminator: Player
    objective: Objective
    streams: Streams
    batch_size: int
    batches: Batches
    generator_batches: Batches
    average: MovingAverage | None = None
    discriminator_steps: int = 0
    generator_steps: int = 0

    @property
    def sampler(self) -> nn.Module:
        """The network that generates what is evaluated."""
        return self.average.network if self.average else self.generator.network

    def discriminator_step(self, accepts: Acceptance | None = None) -> DiscriminatorMove:
        """Move D on a fresh real batch and as many fresh fakes, which carry no graph.

        Args:
            accepts: asked, with D's logits, whether it moves at all.
        """
        latents = self.streams.discriminator_latents(self.batch_size)
        step = Step(
            discriminator=self.discriminator.network,
            generator=self._generated,
            latents=latents,
            real=next(self.batches),
            fake=self._generated(latents),
            noise=self.streams.discriminator_noise,
            augmentation_noise=self.streams.discriminator_augmentation_noise,
            number=self.discriminator_steps,
        )
        terms = self.objective.discriminator_terms(step)
        real_logits, fake_logits = (t if t is None else t.detach() for t in terms[1:])
        if accepts and not accepts(real_logits, fake_logits):
            return DiscriminatorMove(terms.loss.detach(), real_logits, fake_logits, False)
        loss = self._descended(self.discriminator, terms.loss)
        self.objective.constrain(self.discriminator.network)
        self.discriminator_steps += 1
        return DiscriminatorMove(loss, real_logits, fake_logits, True)

    def generator_step(self) -> Scalar:
        """Move G on fresh latents; D only passes gradients through."""
        needs_real = self.objective.needs_real_in_generator_step
        latents = self.streams.generator_latents(self.batch_size)
        with self.discriminator.frozen() as discriminator:
            step = Step(
                discriminator=discriminator,
                generator=self.generator.network,
                latents=latents,
                real=next(self.generator_batches) if needs_real else None,
                fake=self.generator.network(latents),
                noise=self.streams.generator_noise,
                augmentation_noise=self.streams.generator_augmentation_noise,
                number=self.generator_steps,
            )
            loss = self.objective.generator_loss(step)
        value = self._descended(self.generator, loss)
        if self.average:
            self.average.update(self.generator_steps * self.batch_size, self.batch_size)
        self.generator_steps += 1
        return value

    def scale_lr(self, scale: float) -> None:
        """Set both players' learning rates to this share of what they started with."""
        for player in (self.generator, self.discriminator):
            player.scale_lr(scale)

    def _descended(self, player: Player, loss: Scalar) -> Scalar:
        value = player.descend(loss)
        if not player.has_gradient:
            raise ContractBroken(
                type(self.objective.loss),
                "has to return a loss that depends on the logits: no gradient reached the network",
            )
        return value

    def _generated(self, latents: Latents) -> Images:
        with torch.no_grad():
            images: Images = self.generator.network(latents)
            return images


def train(game: Game, schedule: Schedule) -> Iterator[Round]:
    """Alternate the schedule's discriminator steps with one generator step, for ever.

    Yields after each generator step and never stops by itself: the caller decides what to
    record, when to evaluate and when the budget is spent.
    """
    accepts = _acceptance(schedule)
    for step in count(game.generator_steps):
        moves = schedule.discriminator_steps(step)
        if not isinstance(moves, int) or moves < 0:
            raise ContractBroken(type(schedule), f"has to return a count of steps, not {moves!r}")
        discriminator = tuple([game.discriminator_step(accepts) for _ in range(moves)])
        yield Round(discriminator, game.generator_step())


def _acceptance(schedule: Schedule) -> Acceptance | None:
    """What the schedule says to a step of D, if it has a say in it."""
    accepts = getattr(schedule, "accepts", None)
    if accepts is None:
        return None

    def asked(real: Logits, fake: Logits) -> bool:
        given = Given(real, fake)
        verdict = accepts(real, fake)
        given.check(schedule)
        if not isinstance(verdict, bool):
            raise ContractBroken(type(schedule), f"has to accept or not, not {verdict!r}")
        return verdict

    return asked


def value_function(real: Logits, fake: Logits) -> Scalar:
    """V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], D = sigmoid of the logits.

    At the equilibrium of the original game it is -log 4 = -1.386.
    """
    return -softplus(-real).mean() - softplus(fake).mean()
