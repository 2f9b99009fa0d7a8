"""Files of weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from textwrap import shorten

import safetensors.torch
import torch
from torch import Tensor, nn

from ganbench.api import BadInput


@dataclass(frozen=True)
class Weights:
    """Tensors by name, as a file had them.

    Args:
        digest: the file's sha256, in hexadecimal.
    """

    path: Path
    digest: str
    tensors: Mapping[str, Tensor] = field(repr=False)

    def put_into(self, network: nn.Module, what: str) -> None:
        """Make them the weights of `network`, which is `what`."""
        try:
            network.load_state_dict(self.tensors, assign=True)
        except (RuntimeError, TypeError) as error:
            raise BadInput(
                f"{self.path} holds another network than {what}: {shorten(str(error), 200)}"
            ) from error


def read_weights(path: Path, digest: str = "") -> Weights:
    """Read a state_dict from safetensors or from what torch.save wrote; none of its code runs.

    The file is read once, so that what was verified is what is loaded.

    Args:
        digest: the sha256 that it has to have, seen before any of it is understood; empty for any.

    Raises:
        BadInput: it can't be read, or is another file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"can't read the weights {path}: {error.strerror}") from error
    found = sha256(content).hexdigest()
    if digest and found != digest:
        raise BadInput(
            f"{path} is another file than it should be: its sha256 is\n"
            f"  {found}, not\n  {digest}.\n  Delete it and prepare the extractor again."
        )
    return Weights(path, found, _tensors(path, content))


def _tensors(path: Path, content: bytes) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            state = safetensors.torch.load(content)
        else:
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a broken or hostile file fails in every way there is
        raise BadInput(
            f"{path} is not a readable file of weights: it is truncated, or holds more "
            "than the tensors that torch.save(network.state_dict(), FILE) writes"
        ) from error
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise BadInput(f"{path} does not hold tensors by name, as a state_dict does")
    return state
