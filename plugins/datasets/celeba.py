"""CelebA's faces."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le
from torchvision.datasets import CelebA
from torchvision.datasets.utils import download_file_from_google_drive

from ganbench.api import BadInput, Data, NotPrepared

from .decoded_images import decoded
from .decoding import Form
from .downloads import fetching
from .image_files import ImageFiles, image_files

_ZIP, _UNPACKED = "img_align_celeba.zip", "img_align_celeba"
_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
_COUNT = 202_599
# In list_eval_partition.txt the parts follow one another: these are where each starts and ends.
_PARTS = {
    "all": (0, _COUNT),
    "train": (0, 162_770),
    "valid": (162_770, 182_637),
    "test": (182_637, _COUNT),
}


@dataclass(frozen=True)
class Celeba:
    """CelebA: 202,599 faces of celebrities, aligned by their eyes, 3 x 64 x 64; no labels.

    Of each published image, 178 x 218, the centre is cut out and then scaled (Lanczos,
    antialiased). Numbers of unlike crops do not compare: 178, the whole width, is mimicry's;
    "Are GANs Created Equal?" takes 160, score-based models 140, the usual code of DCGAN 108.

    The images are decoded once, which takes minutes; at size 64 they then are 2.5 GB, kept in
    ganbench's data folder under `cache`. Only `img_align_celeba.zip` is needed, or the folder
    that it unpacks to; to fetch it from Google Drive, torchvision wants the package `gdown`.

    Args:
        split: which of the published parts is the real data: 162,770 images to train, 19,867 to
            validate, 19,962 to test, or all.
        size: height and width in pixels.
        crop: height and width, in the published image's pixels, of what is cut out.

    References:
        Deep Learning Face Attributes in the Wild (Liu et al., 2015)
        https://arxiv.org/abs/1411.7766
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "dcgan"
    autoencoder: ClassVar[str] = "conv-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = ("fid",)
    extractor: ClassVar[str] = "inception"

    split: Literal["all", "train", "valid", "test"] = "all"
    size: Annotated[int, Ge(1)] = 64
    crop: Annotated[int, Ge(1), Le(178)] = 178

    def prepare(self, folder: Path) -> None:
        home = folder / CelebA.base_folder
        if _source(home):
            return
        with fetching("CelebA", _PAGE, _ZIP, home):
            _fetch_zip(home)

    def load(self, folder: Path) -> Data:
        home = folder / CelebA.base_folder
        source = _source(home)
        if not source:
            raise NotPrepared(f"there is neither {_ZIP} nor {_UNPACKED} in {home}")
        with image_files(source) as files:
            if len(files.stamps) != _COUNT:
                raise BadInput(
                    f"{source} holds {len(files.stamps):,} images, not CelebA's {_COUNT:,}\n"
                    "  Delete it and prepare the data set again."
                )
            samples = decoded(source, self._part(files), Form(self.size, crop=self.crop), folder)
        return Data(samples, self.split)

    def _part(self, files: ImageFiles) -> ImageFiles:
        return replace(files, stamps=dict(islice(files.stamps.items(), *_PARTS[self.split])))


def _fetch_zip(home: Path) -> None:
    file_id, md5 = next((key, md5) for key, md5, name in CelebA.file_list if name == _ZIP)
    try:
        download_file_from_google_drive(file_id, home, _ZIP, md5)
    except Exception as error:  # gdown's own errors, as of too many downloads, share no base
        raise RuntimeError(str(error)) from error


def _source(home: Path) -> Path | None:
    """The published zip or what was unpacked from it, whichever is there."""
    return next((path for path in (home / _ZIP, home / _UNPACKED) if path.exists()), None)
