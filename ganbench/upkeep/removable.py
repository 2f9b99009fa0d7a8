"""What no run, no table and no resumption needs any more."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ganbench.files import UNFINISHED
from ganbench.store import RESULTS, RunFolder
from ganbench.upkeep import shapes
from ganbench.upkeep.acts import is_set_aside
from ganbench.upkeep.checkpoints import checkpoints, fault_of, is_finished
from ganbench.upkeep.folders import everything_in, is_folder
from ganbench.upkeep.leases import is_old
from ganbench.upkeep.reading import Damaged, Newer, Shut, read_record

OF_RESULTS = "checkpoints of runs that have a result"
OF_OTHERS = "checkpoints of runs that have none, but for the last sound one of each"
CUT_SHORT = "files whose writing was cut short"
DAMAGED = "what was set aside as damaged"


@dataclass(frozen=True)
class Wanted:
    """What is to go besides what nothing can need.

    Args:
        failed: of runs without a result, all checkpoints but the last sound one.
        damaged: what `repair` set aside.
    """

    failed: bool = False
    damaged: bool = False


@dataclass(frozen=True)
class Removable:
    """A file or a folder, and why it can go."""

    kind: str
    path: Path

    def contents(self) -> list[Path]:
        """The files that go with it."""
        return list(everything_in(self.path)) if is_folder(self.path) else [self.path]


def of_run(folder: RunFolder, wanted: Wanted) -> Iterator[Removable]:
    """What can go of a run that nobody is doing."""
    with suppress(Damaged, Newer, Shut):  # what is not known for sure to go stays
        yield from _of_checkpoints(folder, wanted)
    yield from of_folder(folder.path, wanted)


def of_folder(folder: Path, wanted: Wanted) -> Iterator[Removable]:
    """Leftovers, and what was set aside, in a folder and below."""
    return of_files(_entries(folder), wanted)


def of_files(paths: Iterable[Path], wanted: Wanted) -> Iterator[Removable]:
    """Those of them that are leftovers, or were set aside."""
    for path in paths:
        if is_set_aside(path):
            if wanted.damaged:
                yield Removable(DAMAGED, path)
        elif path.name.startswith(UNFINISHED) and is_old(path):
            yield Removable(CUT_SHORT, path)


def _entries(folder: Path) -> Iterator[Path]:
    """All in it and below, by no link; of what was set aside, not what is in that."""
    for parent, folders, names in os.walk(folder) if is_folder(folder) else ():
        yield from (Path(parent) / name for name in sorted([*folders, *names]))
        folders[:] = [name for name in folders if not is_set_aside(Path(parent) / name)]


def _of_checkpoints(folder: RunFolder, wanted: Wanted) -> Iterator[Removable]:
    root = folder.checkpoints_path
    if not is_folder(root):
        return
    if _has_result(folder):
        yield Removable(OF_RESULTS, root)
        return
    yield from (Removable(CUT_SHORT, path) for path in _unfinished(checkpoints(root)))
    if wanted.failed:
        finished = [path for path in checkpoints(root) if is_finished(path)]
        last = next((path for path in finished if not fault_of(path)), None)
        if last is not None:
            yield from (Removable(OF_OTHERS, path) for path in finished if path != last)


def _has_result(folder: RunFolder) -> bool:
    path = folder.path / "outcome.json"
    return os.path.lexists(path) and read_record(path, shapes.OUTCOME)["outcome"] in RESULTS


def _unfinished(folders: Iterable[Path]) -> list[Path]:
    return [path for path in folders if not is_finished(path) and is_old(path)]
