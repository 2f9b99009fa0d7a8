"""Anybody's images, in a folder or a zip."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from ganbench.api import Data

from .decoded_images import decoded
from .decoding import Form
from .image_files import image_files, located


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
    autoencoder: ClassVar[str] = "conv-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = ("fid", "kid", "precision-recall", "density-coverage")
    extractor: ClassVar[str] = "inception"

    path: Annotated[str, "location"]
    size: Annotated[int, Ge(0)] = 0
    channels: Literal[1, 3] = 3

    @classmethod
    def fields_for(cls, path: str, channels: int) -> dict[str, str]:
        return {"path": path, "channels": str(channels)}

    def prepare(self, folder: Path) -> None:
        """Nothing to fetch."""

    def load(self, folder: Path) -> Data:
        source = located(self.path)
        with image_files(source) as files:
            samples = decoded(source, files, Form(self.size, self.channels), folder)
        return Data(samples, "all")
