"""What the small classifiers that ship with ganbench have in common."""

from importlib.resources import files
from typing import ClassVar, Self

import safetensors.torch
import torch
from torch import nn

from ganbench.api import Features, Samples


class Classifier(nn.Module):
    """A body, which ends in features, and a head, which ends in the classes' logits.

    A subclass makes both and names the file with its trained weights, which lies beside this one.
    """

    weights: ClassVar[str]

    body: nn.Module
    head: nn.Module

    @classmethod
    def trained(cls, device: torch.device) -> Self:
        """Return the network with the shipped weights, on `device`, in evaluation mode."""
        with torch.device("meta"):  # draws no initial weights from the global generator
            network = cls()
        content = files(__package__).joinpath(cls.weights).read_bytes()
        network.load_state_dict(safetensors.torch.load(content), assign=True)
        return network.to(device).eval().requires_grad_(False)

    def forward(self, images: Samples) -> Features:
        values = self.body(images.float() / 127.5 - 1)
        return Features(values, self.head(values))
