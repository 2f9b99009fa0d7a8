"""A small classifier of 8x8 digits, whose penultimate layer is the digits' feature extractor."""

from importlib.resources import files

import safetensors.torch
import torch
from torch import Tensor, nn

from ganbench.api import Data, Samples, Unsupported

CLASSES = 10
SHAPE = (1, 8, 8)
WEIGHTS = "digits_cnn.safetensors"


class DigitsCNN(nn.Module):
    """A LeNet-sized network: three convolutions, 64 features, 10 classes.

    `scripts/train_digits_extractor.py` trained the weights that ship beside this file; their
    safetensors header holds the split, the seed and the accuracy on the held-out part.
    """

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

    def features(self, images: Samples) -> Tensor:
        """Return float32 [batch, 64] for uint8 [batch, 1, 8, 8]."""
        output: Tensor = self.body(images.float() / 127.5 - 1)
        return output

    def forward(self, images: Samples) -> Tensor:
        """Return the classes' logits, float32 [batch, 10]."""
        logits: Tensor = self.head(self.features(images))
        return logits


def trained_digits_cnn(device: torch.device) -> DigitsCNN:
    """Return the network with the shipped weights, on `device`, in evaluation mode."""
    with torch.device("meta"):  # draws no initial weights from the global generator
        network = DigitsCNN()
    content = files(__package__).joinpath(WEIGHTS).read_bytes()
    network.load_state_dict(safetensors.torch.load(content), assign=True)
    return network.to(device).eval().requires_grad_(False)


def require_digits(metric: str, reference: Data) -> None:
    """Refuse data that the network was not made for."""
    if not reference.is_images or reference.shape != SHAPE:
        kind = "images" if reference.is_images else "points"
        raise Unsupported(
            f"{metric} needs grey images of shape {SHAPE}, as the data set 'digits' has; "
            f"it was given {kind} of shape {reference.shape}"
        )
