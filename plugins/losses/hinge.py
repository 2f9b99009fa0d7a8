"""The hinge loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import relu

from ganbench.api import Logits, Scalar


@dataclass(frozen=True)
class Hinge:
    """D keeps real and fake logits apart by a margin; G raises its logits without bound.

        L_D = E[max(0, 1 - d_real)] + E[max(0, 1 + d_fake)]
        L_G = -E[d_fake]

    G has no hinge: with E[max(0, 1 - d_fake)] it would get no gradient from fakes beyond the
    margin. The recommended settings are those of SNGAN's ResNet on CIFAR-10.

    References:
        Geometric GAN (Lim & Ye, 2017)
        https://arxiv.org/abs/1705.02894
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
        equations 16 and 17
        https://arxiv.org/abs/1802.05957
    """

    version: ClassVar[int] = 1
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=5",
        "optimizer": "adam",
        "generator_lr": "2e-4",
        "discriminator_lr": "2e-4",
        "beta1": "0",
        "beta2": "0.9",
    }

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return -fake.mean()

    def optimal_logits(self, log_ratio: Tensor) -> Tensor:
        return log_ratio.sign()
