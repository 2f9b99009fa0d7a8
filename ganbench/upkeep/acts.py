"""What mends a store. Nothing that could be of use is deleted: it is renamed, beside its place.

Each act is harmless where it was done before, or in part, so that mending can be cut short.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from ganbench import files
from ganbench.errors import StoreError

_SET_ASIDE = re.compile(r".+\.damaged-\d+")


def is_set_aside(path: Path) -> bool:
    """Whether its name is one that `set_aside` gave."""
    return _SET_ASIDE.fullmatch(path.name) is not None


def set_aside(path: Path) -> None:
    """Rename what is there to the first free `NAME.damaged-N`."""
    with _mending(path), suppress(FileNotFoundError):
        path.rename(_free(path, ".damaged-"))
        files.sync_folder(path.parent)


def keep_only(path: Path, content: bytes) -> None:
    """Leave this much of a file; all that it had is set aside first."""
    with _mending(path):
        os.link(path, _free(path, ".damaged-"), follow_symlinks=False)
    files.write_atomically(path, content)


def delete(path: Path) -> None:
    """Delete a file, or a folder with what is in it."""
    with _mending(path), suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            rmtree(path)
        else:
            path.unlink()
        files.sync_folder(path.parent)


def move_run(folder: Path, damaged: Path) -> None:
    """Move a run's folder, whose lease is held, to the folder of what can't be used."""
    refuse_link(damaged)
    target = damaged / folder.name
    if os.path.lexists(target):
        target = _free(target, "-")
    with _mending(folder):
        damaged.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            folder.rename(target)
            if not target.is_symlink() and target.is_dir():
                (target / "lease").unlink(missing_ok=True)
        files.sync_folder(damaged)
        files.sync_folder(folder.parent)


def refuse_link(folder: Path) -> None:
    """StoreError, if what would be written in the folder went elsewhere."""
    if folder.is_symlink():
        raise StoreError(f"'{folder}' is a link, and in a store none is followed: remove it")


def _free(path: Path, mark: str) -> Path:
    """The first name of its kind that nothing has."""
    number = 1
    while os.path.lexists(found := path.with_name(f"{path.name}{mark}{number}")):
        number += 1
    return found


@contextmanager
def _mending(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(f"'{path}' can't be mended: {reason}") from error
