"""Files of tensors from a store or a cache: looked at before anything of them is taken in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from reprlib import repr as brief
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganbench.files import check_plain, unreadable


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Yield the open safetensors file.

    Raises:
        FileNotFoundError: there is none.
        StoreError: it is a link or no plain file, or no sound safetensors file.
    """
    check_plain(path)
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error


def read_like(file: Any, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of an open file, if names, shapes and types are those that are wanted.

    Raises:
        ValueError: they are others, and nothing larger was read; it says which.
    """
    if odd := set(file.keys()) ^ set(wanted):
        raise ValueError(f"one of them lacks {brief(min(odd))}")
    tensors: dict[str, Tensor] = {}
    for name, like in wanted.items():
        shape = file.get_slice(name).get_shape()
        if shape != list(like.shape):
            raise ValueError(f"{name} has the shape {shape}, not {list(like.shape)}")
        tensors[name] = file.get_tensor(name)
        if tensors[name].dtype != like.dtype:
            raise ValueError(f"{name} is {tensors[name].dtype}, not {like.dtype}")
    return tensors
