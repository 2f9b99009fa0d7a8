"""The schedule of the WGAN authors' code."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le


@dataclass(frozen=True)
class WGANWarmUp:
    """k discriminator steps before each generator step, and many more before some of them.

    There are `warm_up` of them before each of the first `warm_up_steps` generator steps and before
    every one whose number, from 0, `every` divides, so that the critic stays near its optimum.
    The paper's algorithm 1 has k = 5 and no such steps; they are in the authors' code, which also
    breaks a series of discriminator steps off at the end of each pass over the data.

    Args:
        k: discriminator steps before any other generator step.
        warm_up: discriminator steps before those singled out.
        warm_up_steps: generator steps at the start.
        every: generator steps from one that is singled out to the next.

    References:
        Wasserstein GAN (Arjovsky et al., 2017), algorithm 1
        https://arxiv.org/abs/1701.07875
        main.py, where they are Diters
        https://github.com/martinarjovsky/WassersteinGAN
    """

    version: ClassVar[int] = 1

    k: Annotated[int, Ge(1), Le(10_000)] = 5
    warm_up: Annotated[int, Ge(1), Le(10_000)] = 100
    warm_up_steps: Annotated[int, Ge(0)] = 25
    every: Annotated[int, Ge(1)] = 500

    def discriminator_steps(self, generator_step: int) -> int:
        singled_out = generator_step < self.warm_up_steps or generator_step % self.every == 0
        return self.warm_up if singled_out else self.k
