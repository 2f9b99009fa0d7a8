"""The original minimax loss."""

from dataclasses import dataclass
from typing import ClassVar

from torch.nn.functional import softplus

from ganbench.api import Logits, Scalar


@dataclass(frozen=True)
class Minimax:
    """The two-player game as first stated: G minimises what D maximises.

    With logits d, D = sigmoid(d) and softplus(d) = -log(1 - D):

        V   = E[log D(x)] + E[log(1 - D(G(z)))]
        L_D = -V = E[softplus(-d_real)] + E[softplus(d_fake)]
        L_G = E[log(1 - D(G(z)))] = -E[softplus(d_fake)]

    E[log D(x)] does not depend on G and is left out of L_G. G's gradient vanishes where
    D is sure of its fakes; `nonsat` is the cure that the same paper proposes.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), equation 1
        https://arxiv.org/abs/1406.2661
    """

    version: ClassVar[int] = 1

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return -softplus(fake).mean()
