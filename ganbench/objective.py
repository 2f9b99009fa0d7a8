"""What the two players minimise: a loss and its penalties, over one forward pass of D."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from ganbench.components import Images, Logits, Loss, Penalty, Scalar
from ganbench.errors import ContractBroken
from ganbench.randomness import Noise


def _scalar(term: object, part: object) -> Scalar:
    if not isinstance(term, Tensor) or term.dim():
        found = f"{list(term.shape)}" if isinstance(term, Tensor) else type(term).__name__
        raise ContractBroken(type(part), f"has to return a scalar tensor; it returned {found}")
    return term


def _descendable(term: object, part: object) -> Scalar:
    loss = _scalar(term, part)
    if not loss.requires_grad:
        raise ContractBroken(type(part), "has to return a loss that depends on the logits' graph")
    return loss


class SharedForward:
    """D, seeing each batch once however many parts of an objective ask for it."""

    def __init__(self, discriminator: nn.Module) -> None:
        self._discriminator = discriminator
        self._seen: list[tuple[Images, Logits]] = []

    def __call__(self, images: Images) -> Logits:
        for batch, known in self._seen:
            if batch is images:
                return known
        logits: Tensor = self._discriminator(images)
        self._seen.append((images, logits))
        return logits


class DiscriminatorTerms(NamedTuple):
    """D's loss with everything in it, and the logits it was made from."""

    loss: Scalar
    real: Logits
    fake: Logits


@dataclass(frozen=True)
class Objective:
    """The parts of an objective, instantiated."""

    loss: Loss
    penalties: Sequence[Penalty] = ()

    @property
    def needs_real_in_generator_step(self) -> bool:
        return bool(getattr(self.loss, "needs_real_in_generator_step", False))

    @property
    def needs_per_sample_discriminator(self) -> bool:
        return any(getattr(p, "per_sample_discriminator", False) for p in self.penalties)

    def discriminator_terms(
        self, discriminator: nn.Module, real: Images, fake: Images, noise: Noise
    ) -> DiscriminatorTerms:
        """The loss on both batches plus every penalty."""
        shared = SharedForward(discriminator)
        real_logits, fake_logits = shared(real), shared(fake)
        loss = _descendable(self.loss.discriminator_loss(real_logits, fake_logits), self.loss)
        for penalty in self.penalties:
            loss = loss + _scalar(penalty(shared, real, fake, noise), penalty)
        return DiscriminatorTerms(loss, real_logits, fake_logits)

    def generator_loss(self, discriminator: nn.Module, fake: Images, real: Images | None) -> Scalar:
        """The loss on fakes; D's logits of `real` go along where the loss asks for them."""
        real_logits = None if real is None else discriminator(real)
        return _descendable(self.loss.generator_loss(discriminator(fake), real_logits), self.loss)

    def constrain(self, discriminator: nn.Module) -> None:
        """The last act of a discriminator step, where the loss has one."""
        act = getattr(self.loss, "constrain", None)
        if act is not None:
            act(discriminator)
