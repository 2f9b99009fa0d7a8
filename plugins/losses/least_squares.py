"""The least-squares loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ganbench.api import Logits, Scalar


@dataclass(frozen=True)
class LeastSquares:
    """D fits labels by least squares, and G the label that it wants to be given.

        L_D = 1/2 E[(d_real - b)^2] + 1/2 E[(d_fake - a)^2]
        L_G = 1/2 E[(d_fake - c)^2]

    D's output is the logit itself. With b - c = 1 and b - a = 2, G at the optimal D minimises
    Pearson's chi^2 divergence. mmgeneration leaves out the 1/2, which is a factor of 2 on SGD's
    learning rate and none on Adam's; compare_gan puts a sigmoid before the squares, which is
    another loss. The recommended settings are those of Lucic et al., at k = 1.

    Args:
        a: D's label for fakes.
        b: D's label for real samples.
        c: the label that G wants D to give its fakes.

    References:
        Least Squares Generative Adversarial Networks (Mao et al., 2017), equations 2 and 9
        https://arxiv.org/abs/1611.04076
        Are GANs Created Equal? A Large-Scale Study (Lucic et al., 2018)
        https://arxiv.org/abs/1711.10337
    """

    version: ClassVar[int] = 1
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=1",
        "optimizer": "adam",
        "generator_lr": "2e-4",
        "discriminator_lr": "2e-4",
        "beta1": "0.5",
    }

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return ((real - self.b).square().mean() + (fake - self.a).square().mean()) / 2

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return (fake - self.c).square().mean() / 2

    def optimal_logits(self, log_ratio: Tensor) -> Tensor:
        return self.a + (self.b - self.a) * log_ratio.sigmoid()
