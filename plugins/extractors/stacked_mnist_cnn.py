"""MNIST's classifier on three digits at once."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from ganbench.api import Data, Features, Network, Samples, Unsupported

from .images import kind_of
from .labels import agree
from .mnist_cnn import SIDE, MnistCNN

CHANNELS = 3
PADDED_SIDE = 32
SHAPES = tuple((CHANNELS, side, side) for side in (SIDE, PADDED_SIDE))


class StackedMnistCNN(nn.Module):
    """MnistCNN in each channel of uint8 [batch, 3, 28, 28] or, with a margin, 32x32.

    The features are those of the three digits, one after the other: 192. The digits are judged
    independently, so a mode's log-probability is the sum of theirs: 1,000 logits, of which that
    at 100 r + 10 g + b is log p(r) + log p(g) + log p(b).
    """

    def __init__(self, digit: MnistCNN) -> None:
        super().__init__()
        self.digit = digit

    def forward(self, images: Samples) -> Features:
        margin = (images.shape[-1] - SIDE) // 2
        bare = images[..., margin : margin + SIDE, margin : margin + SIDE]
        values, logits = self.digit(bare.reshape(-1, 1, SIDE, SIDE))
        red, green, blue = logits.log_softmax(1).unflatten(0, (-1, CHANNELS)).unbind(1)
        modes = red[:, :, None, None] + green[:, None, :, None] + blue[:, None, None, :]
        return Features(values.unflatten(0, (-1, CHANNELS)).flatten(1), modes.flatten(1))


@dataclass(frozen=True)
class StackedMnistExtractor:
    """192 features and the 1,000 modes of Stacked-MNIST: `mnist-cnn` in each of three channels.

    A misread digit (1 in 200 of MNIST's test images) is a misread mode.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016), section 3.3.1
        https://arxiv.org/abs/1611.02163
        VEEGAN (Srivastava et al., 2017), section 4.2, https://arxiv.org/abs/1705.07761
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 500
    names_classes: ClassVar[bool] = True

    @property
    def settings(self) -> tuple[str, ...]:
        return ("stacked-mnist-cnn", "uint8")

    def check(self, reference: Data) -> None:
        if not reference.is_images or reference.shape not in SHAPES:
            raise Unsupported(_refusal(kind_of(reference)))
        if reference.labels is None:
            raise Unsupported(_refusal("images without labels"))
        if not agree(self.load(torch.device("cpu")), reference):
            raise Unsupported(_refusal("images that hold no digits, or other labels"))

    def load(self, device: torch.device) -> Network:
        return StackedMnistCNN(MnistCNN.trained(device))


def _refusal(given: str) -> str:
    return (
        f"stacked-mnist-cnn needs three digits as colours, of shape {SHAPES[0]} or {SHAPES[1]} and "
        f"labelled 100 r + 10 g + b, as the data set 'stacked-mnist' has; it was given {given}"
    )
