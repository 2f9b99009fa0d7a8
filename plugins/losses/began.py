"""BEGAN: an auto-encoder as D, and a balance between its two tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from ganbench.api import Logits, Scalar


@dataclass(eq=False)
class BEGAN(nn.Module):
    """D reconstructs real samples well and fakes badly, the latter only as much as keeps balance.

    With the reconstruction error L(x) = -d, which D's logits are minus of:

        L_D = E[L(x)] - k_t E[L(G(z))]
        L_G = E[L(G(z))]
        k_{t+1} = clip(k_t + lambda_k (gamma E[L(x)] - E[L(G(z))]), 0, 1),  k_0 = 0

    k moves in G's step, with that step's fakes and the real samples of D's last step.
    compare_gan's k has no clip. The recommended settings are section 4.1's, whose learning rate
    halves whenever convergence stalls.

    Args:
        gamma: the ratio E[L(G(z))] / E[L(x)] to hold; more for more diverse samples. The paper
            shows 0.3, 0.5 and 0.7; compare_gan has 0.75.
        lambda_k: how fast k moves, per G step and unit of error.

    References:
        BEGAN: Boundary Equilibrium Generative Adversarial Networks (Berthelot et al., 2017),
        section 3.4
        https://arxiv.org/abs/1703.10717
    """

    version: ClassVar[int] = 1
    needs_autoencoder: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=1",
        "optimizer": "adam",
        "generator_lr": "1e-4",
        "discriminator_lr": "1e-4",
    }

    gamma: Annotated[float, Ge(0), Le(1)] = 0.5
    lambda_k: Annotated[float, Ge(0)] = 0.001

    def __post_init__(self) -> None:
        super().__init__()
        self.k: Tensor
        self.real_error: Tensor
        self.register_buffer("k", torch.zeros(()))
        self.register_buffer("real_error", torch.zeros(()))

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        real_error, fake_error = -real.mean(), -fake.mean()
        self.real_error.copy_(real_error.detach())
        # A clone, for k may move before this loss is differentiated.
        return real_error - self.k.clone() * fake_error

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        fake_error = -fake.mean()
        imbalance = self.gamma * self.real_error - fake_error.detach()
        self.k.add_(self.lambda_k * imbalance).clamp_(0, 1)
        return fake_error
