"""Files of weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from zipfile import ZIP_STORED, ZipFile

import safetensors.torch
import torch
from torch import Tensor, nn

from ganbench.api import BadInput

_ZIP = b"PK\x03\x04"


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
        wanted = network.state_dict()
        try:
            for name in wanted.keys() & self.tensors.keys():
                _check_kind(name, self.tensors[name], wanted[name])
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
            _check_size(content)
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a broken or hostile file fails in every way there is
        raise BadInput(
            f"{path} is not a readable file of weights: it is truncated, or holds more "
            "than the tensors that torch.save(network.state_dict(), FILE) writes"
        ) from error
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise BadInput(f"{path} does not hold tensors by name, as a state_dict does")
    return state


def _check_size(content: bytes) -> None:
    """Refuse a zip that would grow when it is read: torch.save compresses nothing."""
    if not content.startswith(_ZIP):
        return
    with ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
    compressed = any(entry.compress_type != ZIP_STORED for entry in entries)
    if compressed or sum(entry.file_size for entry in entries) > len(content):
        raise ValueError("it is compressed")


def _check_kind(name: str, tensor: Tensor, wanted: Tensor) -> None:
    """Refuse what `assign` would take, and no network can count with."""
    real = tensor.is_floating_point() or not wanted.is_floating_point()
    if not real or tensor.layout != wanted.layout:
        raise TypeError(f"{name} is {tensor.dtype} ({tensor.layout}), not {wanted.dtype}")
