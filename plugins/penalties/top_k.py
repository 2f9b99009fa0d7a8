"""Top-k training."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from ganbench.api import Logits


@dataclass(frozen=True)
class TopK:
    """G learns from the fakes alone that D takes for the most real.

    Of B fakes, the k with the largest logits count. In epoch e, from 0:

        k = max(gamma^e B, nu B), rounded down, at least 1

    Args:
        gamma: what k is multiplied with after each epoch.
        nu: the share of the batch that always counts.
        decay_every: steps of G in an epoch. 781 is one pass over CIFAR-10 in batches of 64; k
            reaches half of the batch after 69 epochs.

    References:
        Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples
        (Sinha et al., 2020)
        https://arxiv.org/abs/2002.06224
    """

    version: ClassVar[int] = 1

    gamma: Annotated[float, Gt(0), Le(1)] = 0.99
    nu: Annotated[float, Ge(0), Le(1)] = 0.5
    decay_every: Annotated[int, Ge(1)] = 781

    def select(self, fake: Logits, generator_step: int) -> Logits:
        share = max(self.gamma ** (generator_step // self.decay_every), self.nu)
        return fake.topk(max(int(share * len(fake)), 1)).values
