"""Gradient penalties that draw the slope of D to 0."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.api import Discriminator, Images, Noise, Scalar

from .pacing import Annealed, Paced
from .slopes import between, squared_slopes


@dataclass(frozen=True)
class ZeroCentred(Paced):
    """0-GP: hold the slope of D at 0 between real and fake images.

    With one u ~ U(0, 1) per image and x' = x + u (G(z) - x):

        weight * E[|dD/dx'|^2]

    |.| is the L2 norm over all of an image's values. The slope is that of D's logits; in the
    authors' code for toy data D ends in a sigmoid.

    Args:
        weight: lambda in the paper; 10 is where the authors' code for toy data starts.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.

    References:
        Improving Generalization and Stability of Generative Adversarial Networks
        (Thanh-Tung et al., 2019)
        https://arxiv.org/abs/1902.03984
        https://github.com/htt210/GeneralizationAndStabilityInGANs
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True

    weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        return self.weight * squared_slopes(discriminator, between(real, fake, noise)).mean()


@dataclass(frozen=True)
class R1(Annealed):
    """Hold the slope of D at 0 on real images.

        gamma / 2 * E[|dD/dx|^2]

    |.|^2 is the sum over all of an image's values. Some leave out the 1/2 (mmgeneration,
    LynnHo), so that their weight is half of this gamma. The authors' code trains with RMSProp,
    1e-4; R3GAN and others add the penalty to other optimizers, so that it recommends none.

    Args:
        gamma: as in the paper. It goes with the number of pixels and the range of the images:
            R3GAN takes 0.05 for CIFAR-10.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.
        final_share: where gamma ends, as a share of it, if it is annealed; along a cosine.
        anneal_steps: D's steps until then; 0 keeps gamma constant.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), equation 9
        https://arxiv.org/abs/1801.04406
        https://github.com/LMescheder/GAN_stability
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True
    differentiates_real: ClassVar[bool] = True

    gamma: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        return self.gamma / 2 * squared_slopes(discriminator, real).mean()


@dataclass(frozen=True)
class R2(Annealed):
    """As `r1`, on fakes.

        gamma / 2 * E[|dD/dG(z)|^2]

    Args:
        gamma: as in the paper, and as in `r1`.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.
        final_share: where gamma ends, as a share of it, if it is annealed; along a cosine.
        anneal_steps: D's steps until then; 0 keeps gamma constant.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), equation 10
        https://arxiv.org/abs/1801.04406
        https://github.com/LMescheder/GAN_stability
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True
    differentiates_fake: ClassVar[bool] = True

    gamma: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        return self.gamma / 2 * squared_slopes(discriminator, fake).mean()
