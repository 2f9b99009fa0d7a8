"""The small real digits that scikit-learn carries."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from ganbench.api import Data


@dataclass(frozen=True)
class Digits:
    """1,797 handwritten digits, 1 x 8 x 8, labelled 0 to 9; one split, "all".

    The pixels count the ink dots, 0 to 16, in 4 x 4 blocks of a scan; here they are scaled to
    uint8 by 255 / 16, halves rounded up. Nothing is fetched: the data come with scikit-learn.

    References:
        Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), the test part
        https://archive.ics.uci.edu/dataset/80
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan:width=32"
    autoencoder: ClassVar[str] = "conv-autoencoder:width=32"
    metrics: ClassVar[tuple[str, ...]] = ("fd", "precision-recall", "density-coverage", "classes")
    extractor: ClassVar[str] = "digits-cnn"

    def prepare(self, folder: Path) -> None:
        """Nothing to fetch."""

    def load(self, folder: Path) -> Data:
        from sklearn.datasets import load_digits  # slow to import, needed here only

        digits = load_digits()
        ink = torch.from_numpy(digits.images).to(torch.int64)
        # In integers: (2 * 255 * ink + 16) // 32 is floor(255 / 16 * ink + 1 / 2).
        samples = ((510 * ink + 16) // 32).to(torch.uint8).unsqueeze(1)
        labels = torch.from_numpy(digits.target).to(torch.int64)
        return Data(samples, "all", labels)
