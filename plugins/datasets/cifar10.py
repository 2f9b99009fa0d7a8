"""CIFAR-10."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torchvision.datasets import CIFAR10
from torchvision.datasets.utils import check_integrity

from ganbench.api import BadInput, Data, NotPrepared

from .downloads import fetching


@dataclass(frozen=True)
class Cifar10:
    """Photographs, 3 x 32 x 32, in 10 classes: 50,000 to train, 10,000 to test.

    The published files are Python pickles; torchvision opens them only after their md5 sums
    have been found to be the published ones.

    Args:
        split: which part is the real data.

    References:
        Learning Multiple Layers of Features from Tiny Images (Krizhevsky, 2009)
        https://www.cs.toronto.edu/~kriz/cifar.html
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan"
    metrics: ClassVar[tuple[str, ...]] = ("fid",)

    split: Literal["train", "test"] = "train"

    def prepare(self, folder: Path) -> None:
        with fetching("CIFAR-10", CIFAR10.url, CIFAR10.filename, folder):
            CIFAR10(folder, download=True)

    def load(self, folder: Path) -> Data:
        sums = _published_sums(folder / CIFAR10.base_folder)
        missing = next((path for path in sums if not path.is_file()), None)
        if missing:
            raise NotPrepared(f"there is no {missing.name} in {missing.parent}")
        try:
            parts = CIFAR10(folder, train=self.split == "train")
        except (OSError, RuntimeError) as error:
            raise BadInput(_damage(sums, error)) from error
        images = torch.from_numpy(parts.data).permute(0, 3, 1, 2).contiguous()
        return Data(images, self.split, torch.tensor(parts.targets, dtype=torch.int64))


def _published_sums(folder: Path) -> dict[Path, str]:
    """The md5 sum of each file that torchvision wants to see."""
    listed = [*CIFAR10.train_list, *CIFAR10.test_list]
    sums = {folder / name: md5 for name, md5 in listed}
    return {**sums, folder / CIFAR10.meta["filename"]: CIFAR10.meta["md5"]}


def _damage(sums: dict[Path, str], error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error)
    damaged = [str(path) for path, md5 in sums.items() if not check_integrity(path, md5)]
    return (
        f"not the published file, by its md5 sum: {', '.join(damaged)}\n"
        "  Delete it and prepare the data set again."
    )
