"""Consistency regularization: D has to give an image and a moved copy of it the same logit."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.api import Discriminator, Images, Noise, Scalar, Shape, Unsupported

from .images_only import check_images
from .moves import flipped, mirror_outside, shifted


@dataclass(frozen=True, kw_only=True)
class _Moves:
    """T: mirror an image with probability 1/2 and shift it, each image by its own."""

    shift: Annotated[int, Ge(0)] = 4

    def check(self, shape: Shape) -> None:
        check_images("consistency regularization (cr, bcr)", shape)
        if self.shift >= min(shape[1:]):
            raise Unsupported(
                f"a shift of {self.shift} pixels has to be less than the images' sides; the data"
                f" has the shape {list(shape)}"
            )

    def _difference(self, discriminator: Discriminator, images: Images, noise: Noise) -> Scalar:
        largest = (self.shift, self.shift)
        moved = shifted(flipped(images.detach(), noise), noise, largest, mirror_outside)
        return (discriminator(images) - discriminator(moved)).square().mean()


@dataclass(frozen=True)
class Consistency(_Moves):
    """CR: D gives a real image and a moved copy of it the same logit.

        weight * E[(D(x) - D(T(x)))^2]

    T mirrors horizontally with probability 1/2 and shifts by whole pixels, uniform in
    -shift ... shift along both axes; what comes in is the image mirrored at its edge. D may have
    batch norm: x and T(x) pass through it as batches of their own.

    Args:
        weight: lambda in the paper.
        shift: the largest shift, in pixels. StudioGAN takes an eighth of the side, 4 of 32.

    References:
        Consistency Regularization for Generative Adversarial Networks (Zhang et al., 2020)
        https://arxiv.org/abs/1910.12027
    """

    version: ClassVar[int] = 1

    weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        return self.weight * self._difference(discriminator, real, noise)


@dataclass(frozen=True)
class BalancedConsistency(_Moves):
    """bCR: as `cr`, for real images and for fakes, lest T leaks into what G makes.

        real_weight * E[(D(x) - D(T(x)))^2] + fake_weight * E[(D(G(z)) - D(T(G(z))))^2]

    It is a term of D's loss alone. D may have batch norm, as in `cr`.

    Args:
        real_weight: lambda_real in the paper.
        fake_weight: lambda_fake in the paper.
        shift: the largest shift, in pixels, as in `cr`.

    References:
        Improved Consistency Regularization for GANs (Zhao et al., 2020), algorithm 1
        https://arxiv.org/abs/2002.04724
    """

    version: ClassVar[int] = 1

    real_weight: Annotated[float, Ge(0)] = 10.0
    fake_weight: Annotated[float, Ge(0)] = 10.0

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        of_real = self._difference(discriminator, real, noise)
        of_fake = self._difference(discriminator, fake, noise)
        return self.real_weight * of_real + self.fake_weight * of_fake
