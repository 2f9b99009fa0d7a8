"""Image files as one tensor, decoded once."""

import json
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganbench.api import BadInput

from .decoding import Form, decode
from .image_files import ImageFiles
from .tensor_cache import keep, recall

# Rises whenever the pixels that are made of a file change.
_VERSION = 1
# Threads decode smaller files at half the speed of none (measured on CIFAR's, of 900 bytes).
_SMALL_BYTES = 4096


def decoded(source: Path, files: ImageFiles, form: Form, folder: Path) -> Tensor:
    """The `files` of `source`, in order, as uint8 [N, channels, height, width].

    They are kept in ganbench's data folder, under `cache`, until the files change.
    """
    cached = folder / "cache" / f"images-{_key(source, files, form)}.safetensors"
    samples = recall(cached)
    if samples is None:
        samples = _decode_all(source, files, form)
        keep(cached, samples)
    return samples


def _key(source: Path, files: ImageFiles, form: Form) -> str:
    recipe = [_VERSION, str(source), *form, list(files.stamps.items())]
    return sha256(json.dumps(recipe).encode()).hexdigest()


def _decode_all(source: Path, files: ImageFiles, form: Form) -> Tensor:
    names = list(files.stamps)
    with _bombs_refused():
        first = _decode(source, files, names[0], form)
        samples = torch.empty((len(names), *first.shape), dtype=torch.uint8)

        def fill(place: int) -> None:
            image = _decode(source, files, names[place], form)
            if image.shape != first.shape:
                raise BadInput(
                    f"{source}: {names[place]} is {_size(image)}, but {names[0]} is "
                    f"{_size(first)}; give a size to make them equal, such as size=64"
                )
            samples[place] = image

        mean_bytes = sum(size for size, _ in files.stamps.values()) / len(names)
        _for_each(fill, len(names), threads=mean_bytes > _SMALL_BYTES)
    return samples


def _decode(source: Path, files: ImageFiles, name: str, form: Form) -> Tensor:
    try:
        return decode(files.read(name), form)
    except Exception as error:  # broken bytes make decoders raise nearly anything
        reason = str(error) or type(error).__name__
        raise BadInput(f"{source}: {name} can't be read as an image: {reason}") from error


def _for_each(act: Callable[[int], None], count: int, threads: bool) -> None:
    if not threads:
        for place in range(count):
            act(place)
        return
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(act, range(count)):
            pass


@contextmanager
def _bombs_refused() -> Iterator[None]:
    """Within, Pillow refuses what it would only warn of: a small file with too many pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _size(image: Tensor) -> str:
    return f"{image.shape[2]} x {image.shape[1]}"
