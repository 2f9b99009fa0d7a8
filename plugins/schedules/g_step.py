"""The schedule that favours the generator."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le


@dataclass(frozen=True)
class GStep:
    """One discriminator step, then g generator steps: `k-step` the other way round.

    D moves before the generator steps 0, g, 2 g, ... Each generator step has fresh latents;
    DCGAN-tensorflow, where g = 2 is a known addition to the paper's algorithm, shows G the same
    latents twice. The same is g_updates_per_step of StudioGAN and a negative ncritic of torchgan.

    Args:
        g: generator steps after each discriminator step.

    References:
        DCGAN-tensorflow (Kim, 2016), model.py
        https://github.com/carpedm20/DCGAN-tensorflow
    """

    version: ClassVar[int] = 1

    g: Annotated[int, Ge(1), Le(10_000)] = 2

    def discriminator_steps(self, generator_step: int) -> int:
        return 1 if generator_step % self.g == 0 else 0
