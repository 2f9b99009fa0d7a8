"""CIFAR-10."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torchvision.datasets import CIFAR10

from ganbench.api import Data

from .downloads import fetching
from .published import published


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
    autoencoder: ClassVar[str] = "conv-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = (
        "fid",
        "kid",
        "precision-recall",
        "density-coverage",
        "inception-score",
    )
    extractor: ClassVar[str] = "inception"

    split: Literal["train", "test"] = "train"

    def prepare(self, folder: Path) -> None:
        with fetching("CIFAR-10", CIFAR10.url, CIFAR10.filename, folder):
            CIFAR10(folder, download=True)

    def load(self, folder: Path) -> Data:
        with published(_sums(folder / CIFAR10.base_folder)):
            parts = CIFAR10(folder, train=self.split == "train")
        images = torch.from_numpy(parts.data).permute(0, 3, 1, 2).contiguous()
        return Data(images, self.split, torch.tensor(parts.targets, dtype=torch.int64))


def _sums(folder: Path) -> dict[Path, str]:
    """The md5 sum of each file that torchvision wants to see."""
    listed = [*CIFAR10.train_list, *CIFAR10.test_list]
    sums = {folder / name: md5 for name, md5 in listed}
    return {**sums, folder / CIFAR10.meta["filename"]: CIFAR10.meta["md5"]}
