"""DCGAN with an auto-encoder as D, for the losses of EBGAN and BEGAN."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch import nn

from ganbench.api import Shape

from .autoencoder import Autoencoder, ReconstructionError
from .normalization import NORMALIZATIONS, ImageNorm
from .shapes import check_images
from .strided import SIDES, decoder, encoder, initialise_as_dcgan, readout


@dataclass(frozen=True)
class ConvAutoencoder:
    """G of `dcgan`; D is an auto-encoder, and its logit minus the error of its reconstruction.

    D's encoder is `dcgan`'s D with `code_size` linear outputs in place of one, and its decoder is
    `dcgan`'s G, without batch norm unless asked for. With x' = decoder(encoder(x)):

        D(x) = -mean over an image's values of |x' - x|^p, p by `error`

    The mean, not the sum, so that a margin does not grow with the image. EBGAN's networks follow
    DCGAN too; BEGAN's have 3 x 3 convolutions, nearest-pixel upsampling and ELU instead. Initial
    weights are `dcgan`'s.

    Args:
        latent_size: numbers in z (100 in DCGAN, 64 in BEGAN).
        width: channels of the widest map, in G and D.
        code_size: numbers in the code (64 in BEGAN).
        error: `l1`, |x' - x|, as in BEGAN; `l2`, its square, as in EBGAN.
        discriminator_norm: after each layer of D but the first, the code and the output; `batch`
            makes D's output for an image depend on the others in its batch. `spectral` norm is on
            every layer of D.

    References:
        Energy-based Generative Adversarial Network (Zhao et al., 2016)
        https://arxiv.org/abs/1609.03126
        BEGAN: Boundary Equilibrium Generative Adversarial Networks (Berthelot et al., 2017)
        https://arxiv.org/abs/1703.10717
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True
    discriminator_is_autoencoder: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 100
    width: Annotated[int, Ge(1)] = 64
    code_size: Annotated[int, Ge(1)] = 64
    error: ReconstructionError = "l1"
    discriminator_norm: ImageNorm = "none"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_images("conv-autoencoder", shape, SIDES)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = decoder(self.latent_size, shape, self.width, NORMALIZATIONS["batch"])
        to_code = nn.Sequential(
            encoder(shape, self.width, norm),
            readout(shape, self.width, self.code_size),
            nn.Flatten(),
        )
        from_code = decoder(self.code_size, shape, self.width, norm)
        discriminator = Autoencoder(to_code, from_code, self.error)
        initialise_as_dcgan(generator)
        initialise_as_dcgan(discriminator)
        norm.finish(discriminator)
        return generator, discriminator
