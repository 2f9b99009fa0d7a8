"""How often a gradient penalty is applied, and how its weight changes over a run."""

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge


@dataclass(frozen=True, kw_only=True)
class Paced:
    """Lazy regularization: apply the penalty in one of several of D's steps, that much stronger.

    The mean over D's steps stays that of the plain penalty. StyleGAN2, where the idea is from,
    applies R1 with every = 16 and corrects Adam for its extra step, with c = every / (every + 1),
    to lr * c and beta^c; here both terms share one step and nothing is corrected. It is no
    harmless speed-up: R3GAN reports that lazy R1 and R2, every = 8, failed on Stacked MNIST and
    on 2-D toys (appendix E), and its authors write that the convergence results no longer hold.

    Args:
        every: D's steps 0, every, 2 * every, ... have the penalty, multiplied with `every`.

    References:
        Analyzing and Improving the Image Quality of StyleGAN (Karras et al., 2020), appendix B
        https://arxiv.org/abs/1912.04958
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024)
        https://arxiv.org/abs/2501.05441
        https://github.com/brownvc/R3GAN/issues/9
    """

    every: Annotated[int, Ge(1)] = 1

    def strength(self, discriminator_step: int) -> float:
        return 0.0 if discriminator_step % self.every else float(self.every)


@dataclass(frozen=True, kw_only=True)
class Annealed(Paced):
    """Lazy regularization whose weight moves along R3GAN's cosine, and stays at its end.

    With t = min(step / anneal_steps, 1) and s = final_share, the weight is multiplied with

        s + (1 - s) (1 + cos(pi t)) / 2

    Args:
        final_share: the weight at the end, as a share of the one at the start. R3GAN goes to a
            tenth: gamma 0.05 to 0.005 on CIFAR-10, 1 to 0.1 on Stacked MNIST.
        anneal_steps: D's steps until then; 0, as long as final_share is 1, for a constant
            weight. R3GAN counts images: 20 million on CIFAR-10, 39,062 steps at its batch of 512.
    """

    final_share: Annotated[float, Ge(0)] = 1.0
    anneal_steps: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        if (self.final_share == 1) != (self.anneal_steps == 0):
            raise ValueError("final_share and anneal_steps come together: give both or neither")

    def strength(self, discriminator_step: int) -> float:
        return super().strength(discriminator_step) * self._share(discriminator_step)

    def _share(self, discriminator_step: int) -> float:
        progress = min(discriminator_step / self.anneal_steps, 1.0) if self.anneal_steps else 1.0
        return self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * progress)) / 2
