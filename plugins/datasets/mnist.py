"""MNIST, and the data set that took its format."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import Tensor
from torchvision import datasets
from torchvision.datasets.mnist import read_image_file, read_label_file

from ganbench.api import BadInput, Data, NotPrepared

from .downloads import fetching

_PREFIXES = {"train": "train", "test": "t10k"}
_COUNTS = {"train": 60_000, "test": 10_000}


@dataclass(frozen=True)
class Mnist:
    """Handwritten digits, 1 x 28 x 28, labelled 0 to 9: 60,000 to train, 10,000 to test.

    Args:
        split: which part is the real data.

    References:
        Gradient-Based Learning Applied to Document Recognition (LeCun et al., 1998)
        https://doi.org/10.1109/5.726791
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan"
    autoencoder: ClassVar[str] = "conv-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = ("fd", "classes")
    extractor: ClassVar[str] = "mnist-cnn"
    source: ClassVar[Any] = datasets.MNIST

    split: Literal["train", "test"] = "train"

    def prepare(self, folder: Path) -> None:
        try:
            for part in (replace(self, split="train"), replace(self, split="test")):
                part.load(folder)
        except NotPrepared:
            self._fetch(folder)

    def load(self, folder: Path) -> Data:
        stem, count = self._raw(folder) / _PREFIXES[self.split], _COUNTS[self.split]
        images = _read(Path(f"{stem}-images-idx3-ubyte"), read_image_file, (count, 28, 28))
        labels = _read(Path(f"{stem}-labels-idx1-ubyte"), read_label_file, (count,))
        return Data(images.unsqueeze(1), self.split, labels)

    def _fetch(self, folder: Path) -> None:
        files = ", ".join(name for name, _ in self.source.resources)
        with fetching(self._name, self.source.mirrors[0], files, self._raw(folder)):
            self.source(folder, download=True)

    def _raw(self, folder: Path) -> Path:
        return folder / self._name / "raw"

    @property
    def _name(self) -> str:
        return str(self.source.__name__)


@dataclass(frozen=True)
class FashionMnist(Mnist):
    """Zalando's articles of clothing, 1 x 28 x 28, 10 classes: 60,000 to train, 10,000 to test.

    Args:
        split: which part is the real data.

    References:
        Fashion-MNIST (Xiao et al., 2017)
        https://arxiv.org/abs/1708.07747
    """

    metrics: ClassVar[tuple[str, ...]] = ("fid", "kid", "precision-recall", "density-coverage")
    extractor: ClassVar[str] = "inception"
    source: ClassVar[Any] = datasets.FashionMNIST


def _read(path: Path, read: Callable[[str], Tensor], shape: tuple[int, ...]) -> Tensor:
    if not path.is_file():
        raise NotPrepared(f"there is no {path.name} in {path.parent}")
    try:
        tensor = read(str(path))
    # What torchvision's reader raises, depending on which byte is wrong.
    except (AssertionError, KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise BadInput(_damaged(path, str(error) or type(error).__name__)) from error
    if tensor.shape != shape:
        raise BadInput(_damaged(path, f"it holds {tuple(tensor.shape)} values, not {shape}"))
    return tensor


def _damaged(path: Path, reason: str) -> str:
    # torchvision checks no sum of the unpacked files and would leave a broken one in place.
    return f"{path} can't be read: {reason}\n  Delete it and prepare the data set again."
