"""Anybody's images, in a folder or a zip."""

import json
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge
from PIL import Image
from torch import Tensor

from ganbench.api import BadInput, Data

from .decoding import decode
from .image_files import ImageFiles, image_files, located
from .tensor_cache import keep, recall

# Threads decode smaller files at half the speed of none (measured on CIFAR's, of 900 bytes).
_SMALL_BYTES = 4096


@dataclass(frozen=True)
class Images:
    """The images in a folder and all below it, or in a zip; one split, "all", no labels.

    Ordered by name; hidden files and __MACOSX are left out. EXIF's orientation is honoured, an
    alpha channel is dropped, 16-bit greys are scaled to 8 bits, colour profiles are not applied,
    and colours become grey by ITU-R 601. What was decoded is kept in ganbench's data folder,
    under `cache`, until the files change.

    Args:
        path: the folder or zip.
        size: height and width in pixels: the shorter side is scaled to it (Lanczos,
            antialiased) and the centre cut out, as torchvision's Resize and CenterCrop do.
            0 leaves the images as they are, and they must then have one shape.
        channels: 3 for colour, 1 for grey.
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan"
    metrics: ClassVar[tuple[str, ...]] = ("fid",)

    path: Annotated[str, "location"]
    size: Annotated[int, Ge(0)] = 0
    channels: Literal[1, 3] = 3

    def prepare(self, folder: Path) -> None:
        """Nothing to fetch."""

    def load(self, folder: Path) -> Data:
        source = located(self.path)
        with image_files(source) as files:
            cached = folder / "cache" / f"images-{self._key(source, files)}.safetensors"
            samples = recall(cached)
            if samples is None:
                samples = self._decode_all(source, files)
                keep(cached, samples)
        return Data(samples, "all")

    def _key(self, source: Path, files: ImageFiles) -> str:
        recipe = [self.version, str(source), self.size, self.channels, list(files.stamps.items())]
        return sha256(json.dumps(recipe).encode()).hexdigest()

    def _decode_all(self, source: Path, files: ImageFiles) -> Tensor:
        names = list(files.stamps)
        with _bombs_refused():
            first = self._decode(source, files, names[0])
            samples = torch.empty((len(names), *first.shape), dtype=torch.uint8)

            def fill(place: int) -> None:
                image = self._decode(source, files, names[place])
                if image.shape != first.shape:
                    raise BadInput(
                        f"{source}: {names[place]} is {_size(image)}, but {names[0]} is "
                        f"{_size(first)}; give a size to make them equal, such as size=64"
                    )
                samples[place] = image

            mean_bytes = sum(size for size, _ in files.stamps.values()) / len(names)
            _for_each(fill, len(names), threads=mean_bytes > _SMALL_BYTES)
        return samples

    def _decode(self, source: Path, files: ImageFiles, name: str) -> Tensor:
        try:
            return decode(files.read(name), self.size, self.channels)
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
