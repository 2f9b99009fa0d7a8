"""The Inception network of FID, and files with weights for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from textwrap import shorten

import torch
from pytorch_fid.inception import (
    FIDInceptionA,
    FIDInceptionC,
    FIDInceptionE_1,
    FIDInceptionE_2,
)
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.models import inception_v3

from ganbench.api import BadInput, Samples

SIDE = 299  # pixels


@dataclass(frozen=True)
class WeightsFile:
    """A file's content, read once, so that what was verified is what is loaded."""

    path: Path
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "WeightsFile":
        try:
            return cls(path, path.read_bytes())
        except OSError as error:
            raise BadInput(f"can't read the weights {path}: {error.strerror}") from error

    @property
    def digest(self) -> str:
        """The content's sha256, in hexadecimal."""
        return sha256(self.content).hexdigest()


class InceptionFeatures(nn.Module):
    """The 2,048 values after Inception's last pooling ("pool3"), as pytorch-fid computes them.

    Images are resized to 299x299 bilinearly, without antialiasing; grey ones are repeated to three
    channels.
    """

    def __init__(self, weights: WeightsFile) -> None:
        super().__init__()
        self.network = load_inception(weights)

    def forward(self, images: Samples) -> Tensor:
        """Return float32 [batch, 2048]."""
        colour = (images.float() / 255).expand(-1, 3, -1, -1)
        resized = interpolate(colour, (SIDE, SIDE), mode="bilinear", align_corners=False)
        features: Tensor = self.network(2 * resized - 1)
        return features


def load_inception(weights: WeightsFile) -> nn.Module:
    """Return the network without its classifier, on the CPU, in evaluation mode."""
    network = empty_inception()
    state = read_state(weights)
    try:
        network.load_state_dict(state, assign=True)
    except (RuntimeError, TypeError) as error:
        raise BadInput(
            f"{weights.path} holds another network than FID's Inception: {shorten(str(error), 200)}"
        ) from error
    network.fc = nn.Identity()
    return network.float().eval().requires_grad_(False)


def read_state(weights: WeightsFile) -> Mapping[str, Tensor]:
    """Return the tensors by name, through torch's restricted loader: no code of the file runs."""
    try:
        state = torch.load(BytesIO(weights.content), map_location="cpu", weights_only=True)
    except Exception as error:  # a broken or hostile file fails in every way there is
        raise BadInput(
            f"{weights.path} is not a readable file of weights: it is truncated, or holds more "
            "than the tensors that torch.save(network.state_dict(), FILE) writes"
        ) from error
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise BadInput(f"{weights.path} does not hold tensors by name, as a state_dict does")
    return state


def empty_inception() -> nn.Module:
    """Build `pytorch_fid.inception.fid_inception_v3` without its download, and without weights."""
    with torch.device("meta"):  # draws no initial weights from the global generator
        network: nn.Module = inception_v3(
            weights=None, num_classes=1008, aux_logits=False, init_weights=False
        )
        network.Mixed_5b = FIDInceptionA(192, pool_features=32)
        network.Mixed_5c = FIDInceptionA(256, pool_features=64)
        network.Mixed_5d = FIDInceptionA(288, pool_features=64)
        network.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
        network.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
        network.Mixed_7b = FIDInceptionE_1(1280)
        network.Mixed_7c = FIDInceptionE_2(2048)
    return network
