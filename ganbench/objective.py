"""What the two players minimise: a loss and what `+` adds to it, over one forward pass of D."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

from torch import Tensor, nn

from ganbench.components import (
    Addition,
    Augmentation,
    Embeddings,
    FakeSelection,
    Generator,
    GeneratorPenalty,
    Images,
    LatentPenalty,
    Latents,
    Logits,
    Loss,
    Penalty,
    Scalar,
)
from ganbench.contracts import Given
from ganbench.errors import ContractBroken
from ganbench.randomness import Noise

# By which an addition is known for what it is; one that can be called is a penalty.
_ACTS = ("latent_term", "generator_term", "augment", "select")


class View:
    """D as the parts of an objective see it: augmented images in.

    A batch is augmented once, and passes through D once for its logits and, where somebody asks
    for them, once for its embeddings.

    Args:
        augmentations: applied to every batch, in this order.
    """

    def __init__(
        self, network: nn.Module, augmentations: Sequence[Augmentation], noise: Noise
    ) -> None:
        self._network = network
        self._augmentations = augmentations
        self._noise = noise
        self._augmented: list[tuple[Images, Images]] = []
        self._logits: list[tuple[Images, Logits]] = []
        self._embeddings: list[tuple[Images, Embeddings]] = []

    def __call__(self, images: Images) -> Logits:
        known = _found(self._logits, images)
        if known is None:
            known = self._network(self._seen(images))
            self._logits.append((images, known))
        return known

    def embed(self, images: Images) -> Embeddings:
        known = _found(self._embeddings, images)
        if known is None:
            known = self._network.embed(self._seen(images))  # type: ignore[operator]
            self._embeddings.append((images, known))
        return known

    def _seen(self, images: Images) -> Images:
        known = _found(self._augmented, images)
        if known is None:
            known = images
            for augmentation in self._augmentations:
                given = Given(known)
                known = given.images(augmentation.augment(known, self._noise), augmentation)
            self._augmented.append((images, known))
        return known


def _found(pairs: Sequence[tuple[Tensor, Tensor]], images: Images) -> Tensor | None:
    return next((known for batch, known in pairs if batch is images), None)


class Step(NamedTuple):
    """What one player's step is played with.

    Args:
        generator: carries no graph in D's step.
        latents: what `fake` was generated from.
        augmentation_noise: a stream of its own, so that what else draws does not shift it.
        real: None in a step of G whose loss asks for none.
        number: of the player's step, from 0.
    """

    discriminator: nn.Module
    generator: Generator
    latents: Latents
    real: Images | None
    fake: Images
    noise: Noise
    augmentation_noise: Noise
    number: int


class DiscriminatorTerms(NamedTuple):
    """D's loss with everything in it, and the logits it was made from, if it was made from them."""

    loss: Scalar
    real: Logits | None
    fake: Logits | None


@dataclass(frozen=True)
class Objective:
    """The parts of an objective, instantiated."""

    loss: Loss
    additions: Sequence[Addition] = ()

    @property
    def parts(self) -> tuple[Loss | Addition, ...]:
        return (self.loss, *self.additions)

    @property
    def needs_real_in_generator_step(self) -> bool:
        return bool(getattr(self.loss, "needs_real_in_generator_step", False))

    def discriminator_terms(self, step: Step) -> DiscriminatorTerms:
        """The loss on both batches plus every term that is added to it."""
        assert step.real is not None
        view = View(step.discriminator, self._augmentations, step.augmentation_noise)
        penalties = [penalty for penalty in self._penalties if _strength(penalty, step.number)]
        # Gradients of D at a batch then share its forward pass.
        real = _leaf(step.real, penalties, "differentiates_real")
        fake = _leaf(step.fake, penalties, "differentiates_fake")
        of_real, of_fake = self._judged(view, real), self._judged(view, fake)
        given = Given(of_real, of_fake, real, fake, step.latents)
        loss = given.descendable(self.loss.discriminator_loss(of_real, of_fake), self.loss)
        for penalty in penalties:
            term = given.scalar(penalty(view, real, fake, step.noise), penalty)
            loss = loss + _strength(penalty, step.number) * term
        for of_latents in self._latent_penalties:
            term = of_latents.latent_term(view, step.generator, step.latents, fake, step.noise)
            loss = loss + given.scalar(term, of_latents)
        if self._uses_embeddings:
            return DiscriminatorTerms(loss, None, None)
        return DiscriminatorTerms(loss, of_real, of_fake)

    def generator_loss(self, step: Step) -> Scalar:
        """The loss on the fakes that count, plus every term that is added to G's."""
        view = View(step.discriminator, self._augmentations, step.augmentation_noise)
        of_real = None if step.real is None else self._judged(view, step.real)
        of_fake = self._judged(view, step.fake)
        given = Given(of_fake, of_real, step.real, step.fake, step.latents)
        for selection in self._selections:
            of_fake = given.logits(selection.select(of_fake, step.number), selection)
        loss = given.descendable(self.loss.generator_loss(of_fake, of_real), self.loss)
        for penalty in self._generator_penalties:
            term = penalty.generator_term(view, step.generator, step.latents, step.fake, step.noise)
            loss = loss + given.scalar(term, penalty)
        return loss

    def applied_penalties(self, step: int) -> tuple[bool, ...]:
        """Which penalties are computed in D's step of this number."""
        return tuple(_strength(penalty, step) != 0 for penalty in self._penalties)

    def constrain(self, discriminator: nn.Module) -> None:
        """The last act of a discriminator step, where the loss has one."""
        act = getattr(self.loss, "constrain", None)
        if act is not None:
            act(discriminator)

    def modules(self) -> Iterator[tuple[str, nn.Module]]:
        """The parts that keep state between steps, each under a name of its own."""
        for place, part in enumerate(self.parts):
            if isinstance(part, nn.Module):
                yield str(place), part

    @cached_property
    def _penalties(self) -> list[Penalty]:
        return [cast("Penalty", a) for a in self.additions if acts_as_penalty(type(a))]

    @cached_property
    def _latent_penalties(self) -> list[LatentPenalty]:
        return cast("list[LatentPenalty]", self._with("latent_term"))

    @cached_property
    def _generator_penalties(self) -> list[GeneratorPenalty]:
        return cast("list[GeneratorPenalty]", self._with("generator_term"))

    @cached_property
    def _augmentations(self) -> list[Augmentation]:
        return cast("list[Augmentation]", self._with("augment"))

    @cached_property
    def _selections(self) -> list[FakeSelection]:
        return cast("list[FakeSelection]", self._with("select"))

    def _with(self, act: str) -> list[Addition]:
        assert act in _ACTS
        return [addition for addition in self.additions if hasattr(addition, act)]

    @property
    def _uses_embeddings(self) -> bool:
        return bool(getattr(self.loss, "uses_embeddings", False))

    def _judged(self, view: View, images: Images) -> Tensor:
        return view.embed(images) if self._uses_embeddings else view(images)


def acts_as_penalty(cls: type) -> bool:
    """Whether its objects are called for a term of D's loss; any nn.Module could be called."""
    if not issubclass(cls, nn.Module):
        return "__call__" in dir(cls)
    return cls.__call__ is not nn.Module.__call__ or cls.forward is not nn.Module.forward


def acts_at_all(cls: type) -> bool:
    """Whether `+` adds anything by it."""
    return acts_as_penalty(cls) or any(hasattr(cls, act) for act in _ACTS)


def _leaf(images: Images, penalties: Sequence[Penalty], fact: str) -> Images:
    """The batch, ready to be differentiated at where a penalty declares that it will."""
    wanted = any(getattr(penalty, fact, False) for penalty in penalties)
    return images.detach().requires_grad_() if wanted else images


def _strength(penalty: Penalty, step: int) -> float:
    act = getattr(penalty, "strength", None)
    strength = 1.0 if act is None else act(step)
    if not isinstance(strength, (int, float)) or not 0 <= strength < math.inf:
        message = f"`strength` has to return a number from 0 on; it returned {strength!r}"
        raise ContractBroken(type(penalty), message)
    return float(strength)
