"""Any network in a Python package."""

import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from torch import nn

from ganbench.api import BadInput

from .own_network import OwnNetwork, reason
from .weights import read_weights

_SEED = 0


@dataclass
class Module(OwnNetwork):
    """What a torch.nn.Module that you name makes of images.

    It gets float32 [batch, channels, height, width] and returns [batch, features], or [batch,
    features, height, width], which is averaged over space. Features are named by the sha256 of
    its state_dict; its code is not part of that. A network that is made here draws its initial
    weights with the seed 0, whatever the seed of the run.

    Args:
        name: where Python finds it, as in torchvision.models.resnet18 or "package.module:name":
            an instance, or a class or function that makes one without arguments.
        weights: a file with its state_dict, of safetensors or of torch.save; empty for none.
        size: height and width in pixels to which images are resized, bilinearly and, where they
            are larger, antialiased; 0 leaves them as they are.
        inputs: the range in which the network expects pixels: 0 to 1, -1 to 1, or 0 to 1 less
            ImageNet's mean and over its standard deviation, with grey repeated to three channels.
    """

    kind: ClassVar[str] = "module"

    name: str
    weights: Annotated[str, "location"] = ""

    def read(self) -> tuple[nn.Module, str]:
        with _seeded():
            found = _found(self.name)
        with _seeded():
            network = _made(self.name, found)
        if self.weights:
            read_weights(Path(self.weights).expanduser()).put_into(network, self.name)
        return network.cpu(), f"{self.name.replace(':', '.')}-{_digest(network)[:8]}"


@contextmanager
def _seeded() -> Iterator[None]:
    """Within, the global generator draws as in any other process, and afterwards goes on."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_SEED)
        yield


def _found(name: str) -> Any:
    try:
        return pkgutil.resolve_name(name)
    except Exception as error:  # importing runs someone else's code
        raise BadInput(
            f"Python finds no '{name}': {reason(error)}\n"
            "  It has to be installed, or in a folder that PYTHONPATH names."
        ) from error


def _made(name: str, found: Any) -> nn.Module:
    if isinstance(found, nn.Module):
        return found
    try:
        made = found()
    except Exception as error:  # so does making it
        raise BadInput(f"'{name}' can't be made without arguments: {reason(error)}") from error
    if not isinstance(made, nn.Module):
        raise BadInput(f"'{name}' has to be or make a torch.nn.Module, not {type(made).__name__}")
    return made


def _digest(network: nn.Module) -> str:
    digest = sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name}:{tensor.dtype}{tuple(tensor.shape)}:".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
