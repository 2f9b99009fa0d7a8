"""The gradient penalty of DRAGAN."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from annotated_types import Ge
from torch import Tensor

from ganbench.api import Discriminator, Images, Noise, Scalar, gradient_norms

from .pacing import Paced

_Perturb: TypeAlias = Callable[[Images, Tensor, Noise], Images]


def _along_a_ray(real: Images, size: Tensor, noise: Noise) -> Images:
    return real + noise.uniform_like_batch(real) * size * noise.uniform_like(real)


def _in_a_box(real: Images, size: Tensor, noise: Noise) -> Images:
    noisy = real + size * (noise.uniform_like(real) - 0.5)
    # The range of images; points, which have none, keep that of their batch.
    return noisy.clamp(real.amin().clamp(max=-1), real.amax().clamp(min=1))


def _normal(real: Images, size: Tensor, noise: Noise) -> Images:
    return real + size * noise.normal_like(real)


_PERTURBATIONS: Mapping[str, _Perturb] = {
    "ray": _along_a_ray,
    "box": _in_a_box,
    "normal": _normal,
}


@dataclass(frozen=True)
class Dragan(Paced):
    """Hold the slope of D at 1 around real images.

        weight * E[(|dD/dx'| - 1)^2],  x' = x + noise

    |.| is the L2 norm over all of an image's values; it is that of D's logits (compare_gan v1
    takes D after its sigmoid). With s = spread * std, the standard deviation of all values of
    the real batch, v ~ U(0, 1) per value and u ~ U(0, 1) per image, the noise is

        ray     u s v             the authors' code; StudioGAN, LynnHo, compare_gan v1; spread 0.5
        box     s (v - 1/2)       compare_gan v3, which clips x' to the range of images; spread 1
        normal  N(0, s^2)         the paper's algorithm 1, where it is N(0, c I) with c about 10

    The paper's c is in units of its pixels, whose range it leaves open: the noise that its own
    code adds is the default. `recommended` are that code's settings.

    Args:
        weight: lambda in the paper.
        noise: the distribution of the noise.
        spread: size of the noise, in standard deviations of the real batch.
        every: apply it, that much stronger, in one of so many of D's steps; R3GAN saw 8 fail.

    References:
        On Convergence and Stability of GANs (Kodali et al., 2017), algorithm 1
        https://arxiv.org/abs/1705.07215
        https://github.com/kodalinaveen3/DRAGAN
    """

    version: ClassVar[int] = 1
    per_sample_discriminator: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=1",
        "optimizer": "adam",
        "generator_lr": "1e-4",
        "discriminator_lr": "1e-4",
        "beta1": "0.5",
        "beta2": "0.9",
    }

    weight: Annotated[float, Ge(0)] = 10.0
    noise: Literal["ray", "box", "normal"] = "ray"
    spread: Annotated[float, Ge(0)] = 0.5

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        real = real.detach()
        size = self.spread * real.std(correction=0)
        slopes = gradient_norms(discriminator, _PERTURBATIONS[self.noise](real, size, noise))
        return self.weight * (slopes - 1).square().mean()
