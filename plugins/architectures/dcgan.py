"""DCGAN, at any size from 8 x 8 to 64 x 64."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch import nn

from ganbench.api import Shape

from .discriminator import Discriminator
from .normalization import NORMALIZATIONS, ImageNorm
from .shapes import check_images
from .strided import SIDES, decoder, encoder, initialise_as_dcgan, readout


@dataclass(frozen=True)
class DCGAN:
    """DCGAN for square images: strided convolutions in D, transposed ones in G.

    Each 4 x 4 layer halves the image in D and doubles it in G. The innermost map is 4 to 7
    pixels wide, so 28 x 28 images need no padding; for images under 16 pixels it is 2 or 3 where
    that gives a second level. Channels double with each halving: `width` next to the image,
    width * 2^(n-1) inside, n = levels. G has batch norm and ReLU after each layer but the last,
    which ends in tanh; D has leaky ReLU (0.2) and a norm after each layer but the first and the
    last. Weights start from N(0, 0.02), batch norm's scale from N(1, 0.02).

    Args:
        latent_size: numbers in z (100 in the paper).
        width: channels of the widest map (128 in the paper's G, 64 in the usual code).
        discriminator_norm: `batch`, as in the paper, makes D's output for an image depend on the
            others in its batch; real and fake batches go through D apart. `layer` and `instance`
            norm stand in its places; `spectral` norm is on every layer of D.

    References:
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford et al., 2015)
        https://arxiv.org/abs/1511.06434
    """

    version: ClassVar[int] = 1
    discriminator_embeds: ClassVar[bool] = True

    latent_size: Annotated[int, Ge(1)] = 100
    width: Annotated[int, Ge(1)] = 64
    discriminator_norm: ImageNorm = "batch"

    @property
    def discriminator_mixes_samples(self) -> bool:
        return NORMALIZATIONS[self.discriminator_norm].mixes_samples

    def check(self, shape: Shape) -> None:
        check_images("dcgan", shape, SIDES)

    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]:
        norm = NORMALIZATIONS[self.discriminator_norm]
        generator = decoder(self.latent_size, shape, self.width, NORMALIZATIONS["batch"])
        discriminator = Discriminator(
            encoder(shape, self.width, norm), readout(shape, self.width, outputs=1)
        )
        initialise_as_dcgan(generator)
        initialise_as_dcgan(discriminator)
        norm.finish(discriminator)
        return generator, discriminator
