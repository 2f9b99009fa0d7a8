"""Fully connected networks for points."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

from annotated_types import Ge, Le
from torch import nn

from ganbench.api import Shape, Unsupported


@dataclass(frozen=True)
class MLP:
    """Two ReLU networks of the same width and depth, without normalisation.

        G: latent_size -> width -> ... -> width -> features, linear output
        D: features    -> width -> ... -> width -> 1, a logit

    Args:
        latent_size: numbers in z.
        width: units in each hidden layer.
        depth: hidden layers in each network.

    References:
        As used for mixtures of Gaussians by VEEGAN (Srivastava et al., 2017), there with 128 units
        https://arxiv.org/abs/1705.07761
    """

    version: ClassVar[int] = 1
    discriminator_mixes_samples: ClassVar[bool] = False

    latent_size: Annotated[int, Ge(1)] = 2
    width: Annotated[int, Ge(1)] = 128
    depth: Annotated[int, Ge(1), Le(32)] = 2

    def check(self, shape: Shape) -> None:
        if len(shape) != 1:
            raise Unsupported(f"mlp makes points, [features]; the data has the shape {list(shape)}")

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        (features,) = shape
        return self._layers(self.latent_size, features), nn.Sequential(
            *self._layers(features, 1), nn.Flatten(0)
        )

    def _layers(self, inputs: int, outputs: int) -> nn.Sequential:
        sizes = [inputs, *[self.width] * self.depth]
        hidden = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), nn.ReLU())]
        return nn.Sequential(*hidden, nn.Linear(self.width, outputs))
