"""The Wasserstein loss, and WGAN's weight clipping."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import nn

from ganbench.api import Logits, Scalar


@dataclass(frozen=True)
class Wasserstein:
    """D, kept Lipschitz, measures how far the fakes are from the real samples; G comes closer.

        L_D = E[d_fake] - E[d_real]
        L_G = -E[d_fake]

    Over all 1-Lipschitz D, the largest -L_D is the Wasserstein-1 distance. Something has to keep
    D Lipschitz: `clip`, a gradient penalty (`wasserstein+gp`) or spectral norm. The recommended
    settings are those of WGAN's algorithm 1; its RMSProp has no momentum and the authors' code
    leaves the decay at 0.99.

    Args:
        clip: c; after each step of D every one of its parameters is clamped to [-c, c], biases
            and the scales of norms too. 0 for no clipping; 0.01 in WGAN.

    References:
        Wasserstein GAN (Arjovsky et al., 2017), algorithm 1
        https://arxiv.org/abs/1701.07875
    """

    version: ClassVar[int] = 1
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=5",
        "optimizer": "rmsprop",
        "generator_lr": "5e-5",
        "discriminator_lr": "5e-5",
        "beta1": "0",
        "beta2": "0.99",
    }

    clip: Annotated[float, Ge(0)] = 0.0

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return -fake.mean()

    def constrain(self, discriminator: nn.Module) -> None:
        if self.clip:
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter.clamp_(-self.clip, self.clip)
