"""Latent consistency regularization."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from ganbench.api import Discriminator, Generator, Images, Latents, Noise, Scalar


@dataclass(frozen=True)
class LatentConsistency:
    """zCR: G has to tell two near latents apart, and D must not.

    With dz ~ N(0, noise_std^2), per value:

        L_D:   discriminator_weight * E[(D(G(z)) - D(G(z + dz)))^2]
        L_G: - generator_weight * E[mean of (G(z) - G(z + dz))^2 over an image's values]

    A mean over the values, as in StudioGAN, not a sum; a uniform z gets normal dz too. D may have
    batch norm: both batches of fakes pass through it apart.

    Args:
        discriminator_weight: lambda_dis in the paper.
        generator_weight: lambda_gen in the paper.
        noise_std: sigma_noise in the paper. The defaults are those of StudioGAN for ICR, which
            is `bcr+zcr`.

    References:
        Improved Consistency Regularization for GANs (Zhao et al., 2020), algorithm 2
        https://arxiv.org/abs/2002.04724
    """

    version: ClassVar[int] = 1

    discriminator_weight: Annotated[float, Ge(0)] = 20.0
    generator_weight: Annotated[float, Ge(0)] = 0.5
    noise_std: Annotated[float, Gt(0)] = 0.05

    def latent_term(
        self,
        discriminator: Discriminator,
        generator: Generator,
        latents: Latents,
        fake: Images,
        noise: Noise,
    ) -> Scalar:
        near = generator(self._moved(latents, noise))
        difference = discriminator(fake) - discriminator(near)
        return self.discriminator_weight * difference.square().mean()

    def generator_term(
        self,
        discriminator: Discriminator,
        generator: Generator,
        latents: Latents,
        fake: Images,
        noise: Noise,
    ) -> Scalar:
        near = generator(self._moved(latents, noise))
        return -self.generator_weight * (fake - near).square().mean()

    def _moved(self, latents: Latents, noise: Noise) -> Latents:
        return latents + self.noise_std * noise.normal_like(latents)
