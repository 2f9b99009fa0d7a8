"""The schedule of the original algorithm."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le


@dataclass(frozen=True)
class KStep:
    """k discriminator steps, then one generator step, in every round.

    Args:
        k: discriminator steps before each generator step; the paper's experiments use 1.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), algorithm 1
        https://arxiv.org/abs/1406.2661
    """

    version: ClassVar[int] = 1

    k: Annotated[int, Ge(1), Le(10_000)] = 1

    def discriminator_steps(self, generator_step: int) -> int:
        return self.k
