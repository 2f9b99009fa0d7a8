"""The non-saturating loss."""

from dataclasses import dataclass
from typing import ClassVar

from torch.nn.functional import softplus

from ganbench.api import Logits, Scalar


@dataclass(frozen=True)
class NonSaturating:
    """D as in `minimax`; G maximises log D(G(z)) where it minimised log(1 - D(G(z))).

    With logits d, D = sigmoid(d) and softplus(-d) = -log D:

        L_D = E[softplus(-d_real)] + E[softplus(d_fake)]
        L_G = -E[log D(G(z))] = E[softplus(-d_fake)]

    The game has the same fixed point, and G's gradient is strongest where D is sure of its
    fakes. It is no longer zero-sum.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), section 3
        https://arxiv.org/abs/1406.2661
    """

    version: ClassVar[int] = 1

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return softplus(-fake).mean()
