"""The gradient penalty of WGAN-GP."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge

from ganbench.api import Discriminator, Images, Noise, Scalar, gradient_norms


@dataclass(frozen=True)
class GradientPenalty:
    """Hold the slope of D at 1 between real and fake images.

    With one u ~ U(0, 1) per image and x' = x + u (G(z) - x):

        weight * E[(|dD/dx'| - 1)^2]

    |.| is the L2 norm over all of an image's values, not over its pixels or the batch.

    Args:
        weight: lambda in the paper; dimensionless, not negative.

    References:
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017), algorithm 1
        https://arxiv.org/abs/1704.00028
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True

    weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        between = torch.lerp(real, fake, noise.uniform_like_batch(real))
        slopes = gradient_norms(discriminator, between)
        return self.weight * (slopes - 1).square().mean()
