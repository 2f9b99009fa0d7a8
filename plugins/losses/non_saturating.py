"""The non-saturating loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt
from torch import Tensor
from torch.nn.functional import softplus

from ganbench.api import Logits, Scalar

from .cross_entropy import cross_entropy, optimal_logits


@dataclass(frozen=True)
class NonSaturating:
    """D as in `minimax`; G maximises log D(G(z)) where it minimised log(1 - D(G(z))).

    With logits d, D = sigmoid(d) and softplus(-d) = -log D:

        L_D = E[softplus(-d_real)] + E[softplus(d_fake)]
        L_G = -E[log D(G(z))] = E[softplus(-d_fake)]

    The game has the same fixed point, and G's gradient is strongest where D is sure of its
    fakes. It is no longer zero-sum. The recommended settings are those of DCGAN, section 4.

    Args:
        label_smoothing: s, one-sided: D's target for real samples is 1 - s, for fakes 0; G's
            target stays 1. TF-GAN has a target of 1 - s/2 under the same name.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), section 3
        https://arxiv.org/abs/1406.2661
        Improved Techniques for Training GANs (Salimans et al., 2016), section 3.4
        https://arxiv.org/abs/1606.03498
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford et al., 2015), section 4
        https://arxiv.org/abs/1511.06434
    """

    version: ClassVar[int] = 1
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=1",
        "optimizer": "adam",
        "generator_lr": "2e-4",
        "discriminator_lr": "2e-4",
        "beta1": "0.5",
        "beta2": "0.999",
    }

    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return cross_entropy(real, fake, self.label_smoothing)

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return softplus(-fake).mean()

    def optimal_logits(self, log_ratio: Tensor) -> Tensor:
        return optimal_logits(log_ratio, self.label_smoothing)
