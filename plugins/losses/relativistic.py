"""Relativistic losses: is this sample more real than those of the other kind?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from torch import Tensor
from torch.nn.functional import relu, softplus

from ganbench.api import Logits, Scalar

Function: TypeAlias = Literal["logistic", "least-squares", "hinge"]

# f(y), small where y, by how much one sample is the more real, is large.
_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda y: softplus(-y),
    "least-squares": lambda y: (y - 1).square(),
    "hinge": lambda y: relu(1 - y),
}


@dataclass(frozen=True)
class RelativisticPaired:
    """RpGAN: each real sample is compared with one fake, the one at its place in the batch.

        L_D = E[f(d_real - d_fake)]
        L_G = E[f(d_fake - d_real)]

        logistic        f(y) = log(1 + exp(-y))
        least-squares   f(y) = (y - 1)^2
        hinge           f(y) = max(0, 1 - y)

    The paper's general form has a second term for d_fake - d_real, which for these functions
    equals the first; as there, and in R3GAN, it is left out and not added. G's step needs real
    samples. The recommended settings are those at the start of R3GAN's CIFAR-10 run, which adds
    R1 and R2 penalties to the logistic form.

    Args:
        function: f.

    References:
        The relativistic discriminator: a key element missing from standard GAN
        (Jolicoeur-Martineau, 2018), section 4
        https://arxiv.org/abs/1807.00734
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024)
        https://arxiv.org/abs/2501.05441
    """

    version: ClassVar[int] = 1
    needs_real_in_generator_step: ClassVar[bool] = True
    pairs_samples: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=1",
        "optimizer": "adam",
        "generator_lr": "2e-4",
        "discriminator_lr": "2e-4",
        "beta1": "0",
        "beta2": "0.9",
    }

    function: Function = "logistic"

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return _FUNCTIONS[self.function](real - fake).mean()

    def generator_loss(self, fake: Logits, real: Logits | None) -> Scalar:
        assert real is not None
        return self.discriminator_loss(real=fake, fake=real)


@dataclass(frozen=True)
class RelativisticAverage:
    """RaGAN: each sample is compared with the mean logit of the other kind.

        L_D = E[f(d_real - E[d_fake])] + E[f(E[d_real] - d_fake)]
        L_G = E[f(d_fake - E[d_real])] + E[f(E[d_fake] - d_real)]

        logistic        f(y) = log(1 + exp(-y))
        least-squares   f(y) = (y - 1)^2
        hinge           f(y) = max(0, 1 - y)

    The two terms are added, as the paper defines it; its author's code halves the sum. G's step
    needs real samples. The recommended settings are those of the paper's first CIFAR-10 setup,
    which has spectral norm in D.

    Args:
        function: f.

    References:
        The relativistic discriminator: a key element missing from standard GAN
        (Jolicoeur-Martineau, 2018), section 4
        https://arxiv.org/abs/1807.00734
    """

    version: ClassVar[int] = 1
    needs_real_in_generator_step: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=1",
        "optimizer": "adam",
        "generator_lr": "2e-4",
        "discriminator_lr": "2e-4",
        "beta1": "0.5",
        "beta2": "0.999",
    }

    function: Function = "logistic"

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        function = _FUNCTIONS[self.function]
        return function(real - fake.mean()).mean() + function(real.mean() - fake).mean()

    def generator_loss(self, fake: Logits, real: Logits | None) -> Scalar:
        assert real is not None
        return self.discriminator_loss(real=fake, fake=real)
