"""A small classifier of MNIST's digits, whose penultimate layer is their feature extractor."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from ganbench.api import Data, Network, Unsupported

from .classifier import Classifier
from .images import kind_of
from .labels import agree

CLASSES = 10
SIDE = 28  # pixels


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


@dataclass(frozen=True)
class MnistExtractor:
    """64 features and the classes of a network that tells MNIST's digits apart.

    The weights are part of ganbench and learnt from MNIST's training images (99.5% of its test
    images are read right). Numbers on these features compare with one another, never with those
    on Inception's.
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 500
    names_classes: ClassVar[bool] = True

    @property
    def settings(self) -> tuple[str, ...]:
        return ("mnist-cnn", "uint8")

    def check(self, reference: Data) -> None:
        """Refuse what the network was not made for: other shapes, and what it can't tell apart."""
        if not reference.is_images or reference.shape != (1, SIDE, SIDE):
            raise Unsupported(_refusal(kind_of(reference)))
        if reference.labels is None:
            raise Unsupported(_refusal(f"{kind_of(reference)} without labels"))
        if not agree(self.load(torch.device("cpu")), reference):
            raise Unsupported(_refusal("images that hold no digits, or other labels"))

    def load(self, device: torch.device) -> Network:
        return MnistCNN.trained(device)


def _refusal(given: str) -> str:
    return (
        f"mnist-cnn needs grey digits of shape {(1, SIDE, SIDE)} and their labels, as the data set"
        f" 'mnist' has; it was given {given}"
    )
