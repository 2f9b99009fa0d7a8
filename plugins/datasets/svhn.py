"""Street View House Numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torchvision.datasets import SVHN

from ganbench.api import Data

from .downloads import fetching
from .published import published


@dataclass(frozen=True)
class Svhn:
    """Photographed house numbers, cut to 3 x 32 x 32 around one digit, labelled 0 to 9.

    73,257 to train, 26,032 to test, and 531,131 easier ones ("extra": 1.3 GB to fetch, 1.6 GB in
    memory). `prepare` fetches the split that is asked for.

    Args:
        split: which part is the real data.

    References:
        Reading Digits in Natural Images with Unsupervised Feature Learning (Netzer et al., 2011)
        http://ufldl.stanford.edu/housenumbers/
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan"
    autoencoder: ClassVar[str] = "conv-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = ("fid", "kid", "precision-recall", "density-coverage")
    extractor: ClassVar[str] = "inception"

    split: Literal["train", "test", "extra"] = "train"

    def prepare(self, folder: Path) -> None:
        url, name, _ = SVHN.split_list[self.split]
        with fetching("SVHN", url, name, _home(folder)):
            SVHN(_home(folder), self.split, download=True)

    def load(self, folder: Path) -> Data:
        _, name, md5 = SVHN.split_list[self.split]
        with published({_home(folder) / name: md5}):
            part = SVHN(_home(folder), self.split)
        images = torch.from_numpy(part.data).contiguous()
        return Data(images, self.split, torch.from_numpy(part.labels))


def _home(folder: Path) -> Path:
    return folder / "SVHN"
