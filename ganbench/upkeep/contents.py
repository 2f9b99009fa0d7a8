"""Files of a run that hold no records: its tensors, its pictures, and what nobody expects."""

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image
from safetensors import SafetensorError, safe_open

from ganbench import files
from ganbench.upkeep.acts import delete, set_aside
from ganbench.upkeep.checkpoints import checkpoint_findings
from ganbench.upkeep.findings import Finding
from ganbench.upkeep.folders import is_folder, is_plain, listed
from ganbench.upkeep.leases import is_old
from ganbench.upkeep.reading import Damaged, opened

_FOLDERS = ("checkpoints", "samples")


def check_tensors(path: Path) -> None:
    """Damaged, if it is no safetensors file of the length that its header says."""
    with opened(path):
        pass
    try:
        with safe_open(path, framework="np"):
            pass
    except (OSError, SafetensorError) as error:
        raise Damaged(f"it is no whole safetensors file ({error})") from error


def check_picture(path: Path) -> None:
    """Damaged, if it is no whole PNG."""
    with opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with Image.open(file, formats=["PNG"]) as image:
                image.verify()
        except Exception as error:  # a file that was tampered with fails in every way there is
            raise Damaged("it is no whole PNG") from error


def content_findings(run: Path, read: frozenset[str], *, has_result: bool) -> Iterator[Finding]:
    """What is wrong with everything in a run's folder, but for the files that were `read`."""
    waiting = [path for path in listed(run) if path.name not in read]
    while waiting:
        path = waiting.pop(0)
        if path.parent == run and path.name in _FOLDERS and not is_folder(path):
            yield _aside(path, "it is no folder")
        elif path == run / "checkpoints":
            yield from checkpoint_findings(path, has_result=has_result)
        elif is_folder(path):
            waiting += listed(path)
        else:
            yield from _findings(path)


def leftovers(path: Path) -> Iterator[Finding]:
    """A file that was being written when its process ended."""
    if path.name.startswith(files.UNFINISHED) and is_old(path):
        removal = (partial(delete, path),)
        yield Finding(path, "writing it was cut short", "deleted", removal, loses=False)


def _findings(path: Path) -> Iterator[Finding]:
    if not is_plain(path):
        yield _aside(path, "it is a link, or no plain file")
    elif path.parent.name == "samples" and path.suffix == ".png":
        try:
            check_picture(path)
        except Damaged as error:
            yield _aside(path, str(error))
    else:
        yield from leftovers(path)


def _aside(path: Path, what: str) -> Finding:
    return Finding(path, what, "set aside", (partial(set_aside, path),))
