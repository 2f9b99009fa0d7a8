"""Any network in a TorchScript file."""

import warnings
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from torch import nn

from ganbench.api import BadInput

from .own_network import OwnNetwork


@dataclass
class TorchScript(OwnNetwork):
    """What a network in a TorchScript file, of torch.jit.save, makes of images.

    It gets float32 [batch, channels, height, width] and returns [batch, features], or [batch,
    features, height, width], which is averaged over space. The file holds a program, which runs:
    take it from where you would take code. Features are named by the file's sha256.

    Args:
        path: the file.
        size: height and width in pixels to which images are resized, bilinearly and, where they
            are larger, antialiased; 0 leaves them as they are.
        inputs: the range in which the network expects pixels: 0 to 1, -1 to 1, or 0 to 1 less
            ImageNet's mean and over its standard deviation, with grey repeated to three channels.
    """

    kind: ClassVar[str] = "torchscript"

    path: Annotated[str, "location"]

    def read(self) -> tuple[nn.Module, str]:
        path = Path(self.path).expanduser()
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadInput(f"can't read the network {path}: {error.strerror}") from error
        with warnings.catch_warnings():
            # That TorchScript is deprecated is news for whoever wrote the file.
            warnings.simplefilter("ignore", FutureWarning)
            try:
                network = torch.jit.load(BytesIO(content), map_location="cpu")
            except Exception as error:  # a broken file fails in every way there is
                raise BadInput(
                    f"{path} is not a TorchScript file, or is truncated: it has to be what"
                    " torch.jit.save(network, FILE) writes"
                ) from error
        return network, f"torchscript-{sha256(content).hexdigest()[:8]}"
