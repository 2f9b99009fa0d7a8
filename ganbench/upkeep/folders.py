"""What lies in a folder, where links and odd things may lie too."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ganbench.upkeep.acts import is_set_aside
from ganbench.upkeep.reading import Shut


def listed(folder: Path) -> list[Path]:
    """What is in it, but for what was set aside; nothing where there is no such folder.

    Raises:
        Shut: it can't be looked into.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_set_aside(path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Shut(f"'{folder}': {error.strerror}") from error


def is_folder(path: Path) -> bool:
    """Whether it is one itself; a link to one is none."""
    return path.is_dir() and not path.is_symlink()


def is_plain(path: Path) -> bool:
    """Whether it is a file itself; a link to one is none."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def everything_in(folder: Path) -> Iterator[Path]:
    """All files, links and odd things in it and below; no link is followed, to it neither."""
    for parent, folders, names in os.walk(folder) if is_folder(folder) else ():
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*names, *links]))
