"""The original minimax loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt
from torch import Tensor
from torch.nn.functional import softplus

from ganbench.api import Logits, Scalar

from .cross_entropy import cross_entropy, optimal_logits


@dataclass(frozen=True)
class Minimax:
    """The two-player game as first stated: G minimises what D maximises.

    With logits d, D = sigmoid(d) and softplus(d) = -log(1 - D):

        V   = E[log D(x)] + E[log(1 - D(G(z)))]
        L_D = -V = E[softplus(-d_real)] + E[softplus(d_fake)]
        L_G = E[log(1 - D(G(z)))] = -E[softplus(d_fake)]

    E[log D(x)] does not depend on G and is left out of L_G. G's gradient vanishes where
    D is sure of its fakes; `nonsat` is the cure that the same paper proposes. The paper trains
    with k = 1.

    Args:
        label_smoothing: s, one-sided: D's target for real samples is 1 - s, for fakes 0. TF-GAN
            has a target of 1 - s/2 under the same name, and s = 0.25 by default.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), equation 1
        https://arxiv.org/abs/1406.2661
        Improved Techniques for Training GANs (Salimans et al., 2016), section 3.4
        https://arxiv.org/abs/1606.03498
    """

    version: ClassVar[int] = 1
    recommended: ClassVar[Mapping[str, str]] = {"schedule": "k-step:k=1"}

    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return cross_entropy(real, fake, self.label_smoothing)

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return -softplus(fake).mean()

    def optimal_logits(self, log_ratio: Tensor) -> Tensor:
        return optimal_logits(log_ratio, self.label_smoothing)
