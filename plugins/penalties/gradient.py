"""Penalties on the slope of D between real and fake images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch.nn.functional import relu

from ganbench.api import Discriminator, Images, Noise, Scalar, gradient_norms

from .pacing import Paced
from .slopes import between, squared_slopes

_WGAN_GP = {
    "schedule": "k-step:k=5",
    "optimizer": "adam",
    "generator_lr": "1e-4",
    "discriminator_lr": "1e-4",
    "beta1": "0",
    "beta2": "0.9",
}


@dataclass(frozen=True)
class GradientPenalty(Paced):
    """Hold the slope of D at 1 between real and fake images.

    With one u ~ U(0, 1) per image and x' = x + u (G(z) - x):

        weight * E[(|dD/dx'| - 1)^2]

    |.| is the L2 norm over all of an image's values, not over its pixels or the batch.
    `recommended` is the header of the paper's algorithm 1.

    Args:
        weight: lambda in the paper; dimensionless, not negative.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.

    References:
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017), algorithm 1
        https://arxiv.org/abs/1704.00028
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = _WGAN_GP

    weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        slopes = gradient_norms(discriminator, between(real, fake, noise))
        return self.weight * (slopes - 1).square().mean()


@dataclass(frozen=True)
class LipschitzPenalty(Paced):
    """WGAN-LP: as `gp`, but only for slopes above 1, where D breaks the Lipschitz condition.

    With x' on the line between a real and a fake image, as in `gp`:

        weight * E[max(0, |dD/dx'| - 1)^2]

    The paper also tries points from noise around the data; the line is what is taken here.
    `recommended` is what `gp` has.

    Args:
        weight: lambda in the paper, which tries several; 10 makes it comparable with `gp`.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.

    References:
        On the regularization of Wasserstein GANs (Petzka et al., 2018)
        https://arxiv.org/abs/1709.08894
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = _WGAN_GP

    weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        slopes = gradient_norms(discriminator, between(real, fake, noise))
        return self.weight * relu(slopes - 1).square().mean()


@dataclass(frozen=True)
class MaxGradientPenalty(Paced):
    """LGAN's penalty: lower the steepest slope of D in the batch, towards 0.

    With x'_i on the line between the i-th real and the i-th fake image, as in `gp`:

        weight * max_i |dD/dx'_i|^2

    The authors' code can keep the steepest points for the next step; that is off in its
    defaults, and left out here. `recommended` are its settings for CIFAR-10.

    Args:
        weight: lambda in the paper. The authors' code is named for 0.01 to 10 and starts with
            0.1, for losses with an exponential; 10 is StudioGAN's, for the non-saturating loss.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.

    References:
        Lipschitz Generative Adversarial Nets (Zhou et al., 2019)
        https://arxiv.org/abs/1902.05687
        https://github.com/ZhimingZhou/LGANs-for-reproduce
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=5",
        "optimizer": "adam",
        "generator_lr": "2e-4",
        "discriminator_lr": "2e-4",
        "beta1": "0",
        "beta2": "0.9",
        "lr_decay": "linear",
    }

    weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        return self.weight * squared_slopes(discriminator, between(real, fake, noise)).max()
