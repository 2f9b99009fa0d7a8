"""A small classifier of 8x8 digits, whose penultimate layer is the digits' feature extractor."""

from typing import ClassVar

from torch import nn

from ganbench.api import Data, Unsupported

from .classifier import Classifier

CLASSES = 10
SHAPE = (1, 8, 8)
WEIGHTS = "digits_cnn.safetensors"


class DigitsCNN(Classifier):
    """A LeNet-sized network for uint8 [batch, 1, 8, 8]: 64 features, 10 classes.

    `scripts/train_digits_extractor.py` trained the weights that ship beside this file; their
    safetensors header holds the split, the seed and the accuracy on the held-out part.
    """

    weights: ClassVar[str] = WEIGHTS
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


def require_digits(metric: str, reference: Data) -> None:
    """Refuse data that the network was not made for."""
    if not reference.is_images or reference.shape != SHAPE:
        kind = "images" if reference.is_images else "points"
        raise Unsupported(
            f"{metric} needs grey images of shape {SHAPE}, as the data set 'digits' has; "
            f"it was given {kind} of shape {reference.shape}"
        )
