"""How many of Stacked-MNIST's thousand modes are generated, and how evenly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ganbench.api import Data, Direction, Samples, Unsupported

from .class_shares import ClassShares, Namer
from .mnist_cnn import CLASSES, LEAST_AGREEMENT, SIDE, MnistCNN

CHANNELS = 3
PADDED_SIDE = 32
SHAPES = tuple((CHANNELS, side, side) for side in (SIDE, PADDED_SIDE))
_CPU = torch.device("cpu")


@dataclass
class StackedModes(ClassShares):
    """The count of Stacked-MNIST's 1,000 modes that are generated, and how evenly they are hit.

    A small classifier (99.5% of MNIST's test images) names the digit in each channel, for
    generated and real images alike; three digits name a mode. With the modes' shares p_g and p_r:

        modes_covered = the number of modes that at least one generated image falls into
        mode_kl       = KL(p_g || p_r) = sum p_g log(p_g / p_r), in nats

    This direction, generated against real, is the one that the literature calls reverse KL, or
    just KL. p_r is what the reference has, as VEEGAN defines it; PacGAN's code puts 1 / 1,000 for
    each mode, from which MNIST's unequal digits are 0.004 away. Of N samples without any fault
    against M real ones, mode_kl is about 999 / (2 N) + 999 / (2 M): 0.023 for 26,000 against
    128,000. It is infinite where a mode was generated that the reference lacks.

    Both depend on N. Published values are of 26,000 samples (25,600 in Unrolled GANs), and of
    5,000 real images 7 modes are missed: set the protocol's evaluation_samples. A misread digit
    covers a mode that was not generated, here as in every published count.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016), section 3.3.1
        https://arxiv.org/abs/1611.02163
        VEEGAN (Srivastava et al., 2017), section 4.2, https://arxiv.org/abs/1705.07761
        PacGAN: The power of two samples in generative adversarial networks
        (Lin et al., 2018), section 4, https://arxiv.org/abs/1712.04086
    """

    directions: ClassVar[Mapping[str, Direction]] = {"modes_covered": "higher", "mode_kl": "lower"}
    metric: ClassVar[str] = "stacked-modes"
    divergence: ClassVar[str] = "mode_kl"
    coverage: ClassVar[str] = "modes_covered"
    classes: ClassVar[int] = CLASSES**CHANNELS

    @property
    def settings(self) -> tuple[str, ...]:
        return ("mnist-cnn", "uint8")

    def check(self, reference: Data) -> None:
        if not reference.is_images or reference.shape not in SHAPES:
            kind = "images" if reference.is_images else "points"
            raise Unsupported(_refusal(f"{kind} of shape {reference.shape}"))
        if reference.labels is None:
            raise Unsupported(_refusal("images without labels"))
        first = slice(self.batch_size)
        named = self.namer(_CPU)(reference.samples[first])
        if (named == reference.labels[first]).double().mean() < LEAST_AGREEMENT:
            raise Unsupported(_refusal("images that hold no digits, or other labels"))

    def namer(self, device: torch.device) -> Namer:
        network = MnistCNN.trained(device)
        place_values = torch.tensor([CLASSES**2, CLASSES, 1], device=device)

        def name(images: Samples) -> Tensor:
            margin = (images.shape[-1] - SIDE) // 2
            bare = images[..., margin : margin + SIDE, margin : margin + SIDE]
            digits = network(bare.reshape(-1, 1, SIDE, SIDE)).argmax(1).view(-1, CHANNELS)
            modes: Tensor = (digits * place_values).sum(1)
            return modes

        return name


def _refusal(given: str) -> str:
    return (
        f"stacked-modes needs three digits as colours, of shape {SHAPES[0]} or {SHAPES[1]} and "
        f"labelled 100 r + 10 g + b, as the data set 'stacked-mnist' has; it was given {given}"
    )
