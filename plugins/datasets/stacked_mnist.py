"""MNIST's digits by threes, one to a colour: a thousand modes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge
from torch.nn.functional import pad

from ganbench.api import Data

from .mnist import Mnist

_SEED = 0
_DIGIT_SIDE = 28


@dataclass(frozen=True)
class StackedMnist:
    """Stacked-MNIST: three MNIST digits as red, green and blue, 3 x 28 x 28, in 1,000 classes.

    Each channel is drawn from MNIST on its own, with replacement; the label is 100 r + 10 g + b.
    Every seed of an experiment sees the same images. MNIST's own files are read, and fetched only
    where `mnist` has not been prepared. In memory they are 2.4 kB each, 301 MB in all, drawn in
    about a second.

    PacGAN trains on 128,000 images, drawn from both splits; Unrolled GANs draws them on the fly.

    Args:
        split: which part of MNIST the digits come from.
        size: number of images.
        side: height and width in pixels; 32 puts 2 black ones around, for networks that want 32.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016), section 3.3.1
        https://arxiv.org/abs/1611.02163
        VEEGAN (Srivastava et al., 2017), section 4.2, https://arxiv.org/abs/1705.07761
        PacGAN: The power of two samples in generative adversarial networks
        (Lin et al., 2018), section 4, https://arxiv.org/abs/1712.04086
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan"
    autoencoder: ClassVar[str] = "conv-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = ("stacked-modes", "fd")
    extractor: ClassVar[str] = "stacked-mnist-cnn"

    split: Literal["train", "test"] = "train"
    size: Annotated[int, Ge(1)] = 128_000
    side: Literal[28, 32] = 28

    def prepare(self, folder: Path) -> None:
        Mnist(self.split).prepare(folder)

    def load(self, folder: Path) -> Data:
        digits = Mnist(self.split).load(folder)
        assert digits.labels is not None
        generator = torch.Generator().manual_seed(_SEED)
        drawn = torch.randint(len(digits), (self.size, 3), generator=generator)
        margin = (self.side - _DIGIT_SIDE) // 2
        # Padded before they are stacked: 60,000 digits are fewer than three times the images.
        padded = pad(digits.samples.squeeze(1), (margin,) * 4)
        labels = (digits.labels[drawn] * torch.tensor([100, 10, 1])).sum(1)
        return Data(padded[drawn], self.split, labels)
