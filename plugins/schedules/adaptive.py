"""The schedule in which a discriminator that wins has to wait."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from ganbench.api import Logits


@dataclass(frozen=True)
class Adaptive:
    """Move D only while it does not see through too many samples.

    With n real and m fake logits, D moves in a step where

        (#{d_real > 0} + #{d_fake < 0}) / (n + m) <= bound

    0 itself counts as wrong. The paper asks for the accuracy "in the last batch"; here it is that
    in the very batch that D would learn from, so that no step rests on an outdated one, and the
    step that is not accepted has still cost its forward pass and its images.

    The rule reads D's logits as log-odds, 0 being undecided. That holds for `minimax`, `nonsat`
    and their like, and with a margin for `hinge`; the critics of Wasserstein and relativistic
    losses are determined up to a constant only, and those of `lsgan` split at 1/2, so that what
    is computed for them is no accuracy. Losses that use D's embeddings are refused; parts that
    keep averages (`lecam`) take in the steps that are not accepted, too.

    Args:
        bound: the largest accuracy with which D still moves.
        k: steps offered to D before each generator step.

    References:
        Learning a Probabilistic Latent Space of Object Shapes via 3D Generative-Adversarial
        Modeling (Wu et al., 2016), section 3.1
        https://arxiv.org/abs/1610.07584
    """

    version: ClassVar[int] = 1

    bound: Annotated[float, Ge(0), Le(1)] = 0.8
    k: Annotated[int, Ge(1), Le(10_000)] = 1

    def discriminator_steps(self, generator_step: int) -> int:
        return self.k

    def accepts(self, real: Logits, fake: Logits) -> bool:
        right = int((real > 0).sum() + (fake < 0).sum())
        return right / (real.numel() + fake.numel()) <= self.bound
