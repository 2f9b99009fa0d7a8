"""A small classifier of 8x8 digits, whose penultimate layer is the digits' feature extractor."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from ganbench.api import Data, Network, Unsupported

from .classifier import Classifier
from .images import kind_of

CLASSES = 10
SHAPE = (1, 8, 8)


class DigitsCNN(Classifier):
    """A LeNet-sized network for uint8 [batch, 1, 8, 8]: 64 features, 10 classes.

    `scripts/train_digits_extractor.py` trained the weights that ship beside this file; their
    safetensors header holds the split, the seed and the accuracy on the held-out part.
    """

    weights: ClassVar[str] = "digits_cnn.safetensors"
    feature_size = 64

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 2 * 2, self.feature_size),
            nn.ELU(),
        )
        self.head = nn.Linear(self.feature_size, CLASSES)


@dataclass(frozen=True)
class DigitsExtractor:
    """64 features and the classes of a network that tells 8x8 digits apart.

    The weights are part of ganbench and learnt from four fifths of scikit-learn's digits. Numbers
    on these features compare with one another, never with those on Inception's.
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 500
    names_classes: ClassVar[bool] = True

    @property
    def settings(self) -> tuple[str, ...]:
        return ("digits-cnn", "uint8")

    def check(self, reference: Data) -> None:
        if not reference.is_images or reference.shape != SHAPE:
            raise Unsupported(
                f"digits-cnn needs grey images of shape {SHAPE}, as the data set 'digits' has; "
                f"it was given {kind_of(reference)}"
            )

    def load(self, device: torch.device) -> Network:
        return DigitsCNN.trained(device)
