"""Fully connected networks for points."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

from annotated_types import Ge, Le
from torch import nn

from ganbench.api import Shape

from .discriminator import Discriminator
from .normalization import NORMALIZATIONS, Normalization, VectorNorm
from .shapes import check_points


def hidden(
    inputs: int, width: int, depth: int, norm: Normalization = NORMALIZATIONS["none"]
) -> nn.Sequential:
    """`depth` fully connected layers, each with its norm and ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise([inputs, *[width] * depth]):
        linear = nn.Linear(before, after, bias=not norm.mixes_samples)
        layers += [linear, norm.of_vectors(after), nn.ReLU()]
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class MLP:
    """Two ReLU networks of the same width and depth, by default without normalisation.

        G: latent_size -> width -> ... -> width -> features, linear output
        D: features    -> width -> ... -> width -> 1, a logit

    Args:
        latent_size: numbers in z.
        width: units in each hidden layer.
        depth: hidden layers in each network.
        discriminator_norm: in D's hidden layers, before ReLU; `spectral` norm is on D's last
            layer too.

    References:
        As used for mixtures of Gaussians by VEEGAN (Srivastava et al., 2017), there with 128 units
        https://arxiv.org/abs/1705.07761
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 2
    width: Annotated[int, Ge(1)] = 128
    depth: Annotated[int, Ge(1), Le(32)] = 2
    discriminator_norm: VectorNorm = "none"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_points("mlp", shape)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        (features,) = shape
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = nn.Sequential(
            hidden(self.latent_size, self.width, self.depth), nn.Linear(self.width, features)
        )
        discriminator = Discriminator(
            hidden(features, self.width, self.depth, norm), nn.Linear(self.width, 1)
        )
        norm.finish(discriminator)
        return generator, discriminator
