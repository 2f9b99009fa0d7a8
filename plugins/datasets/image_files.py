"""The image files in a folder or a zip: their names, in order, and their bytes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from ganbench.api import BadInput

# Those of torchvision's ImageFolder.
_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class ImageFiles:
    """Image files, wherever they lie.

    Args:
        stamps: for each name, in order, two numbers that change with the file: its bytes, and
            its time of change in nanoseconds (in a folder) or its CRC-32 (in a zip).
        read: the bytes of the file with this name.
    """

    stamps: dict[str, tuple[int, int]]
    read: Callable[[str], bytes]


def located(path: str) -> Path:
    """The folder or file that `path` names, wherever its links lead."""
    try:
        found = Path(path).expanduser().resolve()
        exists = found.is_dir() or found.is_file()
    except (OSError, RuntimeError) as error:
        raise BadInput(f"{path} can't be read: {error}") from error
    if not exists:
        raise BadInput(f"there is no folder or zip of images at {found}")
    return found


@contextmanager
def image_files(path: Path) -> Iterator[ImageFiles]:
    """The image files under `path`, by name; hidden ones and __MACOSX are left out."""
    with _folder(path) if path.is_dir() else _zip(path) as files:
        if not files.stamps:
            raise BadInput(f"no image is in {path}: none ends in {', '.join(sorted(_SUFFIXES))}")
        yield files


@contextmanager
def _folder(root: Path) -> Iterator[ImageFiles]:
    stamps = {}
    try:
        for path in _walk(root, frozenset({root.resolve()})):
            status = path.stat()
            stamps[path.relative_to(root).as_posix()] = (status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise BadInput(f"{root} can't be read: {error}") from error
    yield ImageFiles(_ordered(stamps), lambda name: (root / name).read_bytes())


def _walk(folder: Path, within: frozenset[Path]) -> Iterator[Path]:
    for path in folder.iterdir():
        if _is_hidden(path.name):
            continue
        if path.is_dir():
            target = path.resolve()
            if target in within:
                raise BadInput(f"{path} is a link that leads back to {target}")
            yield from _walk(path, within | {target})
        elif _is_image(path.name):
            yield path


@contextmanager
def _zip(path: Path) -> Iterator[ImageFiles]:
    try:
        archive = ZipFile(path)
    except (BadZipFile, OSError, ValueError) as error:
        raise BadInput(f"{path} can't be read as a zip of images: {error}") from error
    with archive:
        stamps = {
            entry.filename: (entry.file_size, entry.CRC)
            for entry in archive.infolist()
            if _is_image(entry.filename)
            and not any(_is_hidden(part) for part in PurePosixPath(entry.filename).parts)
        }
        yield ImageFiles(_ordered(stamps), archive.read)


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _SUFFIXES


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _ordered(stamps: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return dict(sorted(stamps.items()))
