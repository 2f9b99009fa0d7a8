"""A small classifier of MNIST's digits."""

from typing import ClassVar

import torch
from torch import nn

from ganbench.api import Data, Unsupported

from .classifier import Classifier

CLASSES = 10
SIDE = 28  # pixels
LEAST_AGREEMENT = 0.9  # of the classifier with the reference's labels; MNIST has 0.99
_LOOKED_AT = 500


class MnistCNN(Classifier):
    """A LeNet-sized network for uint8 [batch, 1, 28, 28]: 64 features, 10 classes.

    Its convolutions stride in place of pooling, which makes it six times as fast on a CPU as a
    LeNet of this accuracy. `scripts/train_mnist_extractor.py` trained the weights that ship
    beside this file; their safetensors header holds the split, the seed and the accuracy.
    """

    weights: ClassVar[str] = "mnist_cnn.safetensors"
    feature_size = 64

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, self.feature_size),
            nn.ELU(),
        )
        self.head = nn.Linear(self.feature_size, CLASSES)


def require_mnist(metric: str, reference: Data) -> None:
    """Refuse what the network was not made for: other shapes, and what it can't tell apart."""
    if not reference.is_images or reference.shape != (1, SIDE, SIDE) or reference.labels is None:
        kind = "images" if reference.is_images else "points"
        given = f"{kind} of shape {reference.shape}"
        given += "" if reference.labels is not None else " without labels"
    else:
        named = MnistCNN.trained(torch.device("cpu"))(reference.samples[:_LOOKED_AT]).argmax(1)
        agreement = (named == reference.labels[:_LOOKED_AT]).double().mean()
        if agreement >= LEAST_AGREEMENT:
            return
        given = "images that hold no digits, or other labels"
    raise Unsupported(
        f"{metric} needs grey digits of shape {(1, SIDE, SIDE)} and their labels, as the data set"
        f" 'mnist' has; it was given {given}"
    )
