"""Fully connected networks for points, with an auto-encoder as D."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le
from torch import nn

from ganbench.api import Shape

from .autoencoder import Autoencoder, ReconstructionError
from .mlp import hidden
from .normalization import NORMALIZATIONS, Normalization, VectorNorm
from .shapes import check_points


@dataclass(frozen=True)
class MLPAutoencoder:
    """G of `mlp`; D is an auto-encoder, and its logit minus the error of its reconstruction.

        G: latent_size -> width -> ... -> width -> features, linear output
        D: features    -> width -> ... -> width -> code_size, linear
                       -> width -> ... -> width -> features, linear
        D(x) = -mean over features of |x' - x|^p, p by `error`

    Both papers make images; their D is `conv-autoencoder`, and this its counterpart for points.

    Args:
        latent_size: numbers in z.
        width: units in each hidden layer.
        depth: hidden layers in G, and in each half of D.
        code_size: numbers in the code; from `features` on, D can rebuild whatever it sees.
        error: `l1`, |x' - x|, as in BEGAN; `l2`, its square, as in EBGAN.
        discriminator_norm: in D's hidden layers, before ReLU; `spectral` norm is on every layer.

    References:
        Energy-based Generative Adversarial Network (Zhao et al., 2016)
        https://arxiv.org/abs/1609.03126
        BEGAN: Boundary Equilibrium Generative Adversarial Networks (Berthelot et al., 2017)
        https://arxiv.org/abs/1703.10717
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True
    discriminator_is_autoencoder: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 2
    width: Annotated[int, Ge(1)] = 128
    depth: Annotated[int, Ge(1), Le(32)] = 2
    code_size: Annotated[int, Ge(1)] = 1
    error: ReconstructionError = "l1"
    discriminator_norm: VectorNorm = "none"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_points("mlp-autoencoder", shape)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        (features,) = shape
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = self._network(self.latent_size, features)
        encoder = self._network(features, self.code_size, norm)
        decoder = self._network(self.code_size, features, norm)
        discriminator = Autoencoder(encoder, decoder, self.error)
        norm.finish(discriminator)
        return generator, discriminator

    def _network(
        self, inputs: int, outputs: int, norm: Normalization = NORMALIZATIONS["none"]
    ) -> nn.Sequential:
        return nn.Sequential(
            hidden(inputs, self.width, self.depth, norm), nn.Linear(self.width, outputs)
        )
