"""What a store consists of: pieces that are looked at, and mended, each by itself."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from ganbench.files import write_json
from ganbench.store import SCHEMA, RunFolder, Store
from ganbench.upkeep import run, shapes
from ganbench.upkeep.acts import move_run, set_aside
from ganbench.upkeep.contents import leftovers
from ganbench.upkeep.findings import Checked, Finding
from ganbench.upkeep.folders import everything_in, is_folder, is_plain, listed
from ganbench.upkeep.leases import is_live, lease_findings
from ganbench.upkeep.reading import Damaged, Newer, Shut, read_record
from ganbench.upkeep.removable import DAMAGED, Removable, Wanted, of_files, of_folder, of_run

_FOLDERS = ("runs", "throughput", "tables", "damaged")


class Piece(Protocol):
    """A part of a store with a lock of its own."""

    @property
    def path(self) -> Path: ...
    def is_busy(self) -> bool: ...
    def lock_findings(self) -> Iterator[Finding]: ...
    def held(self) -> AbstractContextManager[Any]: ...
    def inspect(self) -> Checked: ...
    def removable(self, wanted: Wanted) -> Iterator[Removable]: ...


def pieces(path: Path) -> Iterator[Piece]:
    """All of a store, its runs by their keys.

    Raises:
        StoreError: `path` is no store, or a newer ganbench's.
    """
    if not _is_damaged_store(path):
        Store(path)
    yield Top(path)
    if is_folder(path / "throughput"):
        yield Throughputs(path / "throughput")
    if is_folder(path / "runs"):
        for folder in listed(path / "runs"):
            if is_folder(folder):
                yield Run(folder, path / "damaged")
            elif not (is_plain(folder) and folder.name.startswith(".")):  # a file manager's
                yield Stray(folder, path)


def _is_damaged_store(path: Path) -> bool:
    """Whether it is a store but for its store.json."""
    try:
        read_record(path / "store.json", shapes.ANY)
    except Damaged:
        return os.path.lexists(path / "store.json") and any(path.glob("runs/*/recipe.json"))
    except (Newer, Shut):
        pass
    return False


class _Open:
    """A piece that needs no lock."""

    def is_busy(self) -> bool:
        return False

    def lock_findings(self) -> Iterator[Finding]:
        yield from ()

    def held(self) -> AbstractContextManager[Any]:
        return nullcontext()


@dataclass(frozen=True)
class Top(_Open):
    """What lies in the store's own folder."""

    path: Path

    def inspect(self) -> Checked:
        return Checked(tuple(self._findings()))

    def removable(self, wanted: Wanted) -> Iterator[Removable]:
        damaged = self.path / "damaged"
        if wanted.damaged and os.path.lexists(damaged):
            yield Removable(DAMAGED, damaged)
        own = [path for path in self.path.iterdir() if not is_folder(path)]
        yield from of_files(own, wanted)
        yield from of_folder(self.path / "tables", wanted)

    def _findings(self) -> Iterator[Finding]:
        marker = self.path / "store.json"
        try:
            read_record(marker, shapes.ANY)
        except Damaged as error:
            again = partial(write_json, marker, {"schema": SCHEMA})
            mending = (partial(set_aside, marker), again)
            yield Finding(marker, str(error), "set aside, and written again", mending)
        for path in (self.path / name for name in _FOLDERS):
            if path.is_symlink():
                what = "it is a link, and in a store none is followed"
                yield Finding(path, what, "put what it leads to in its place")
            elif os.path.lexists(path) and not is_folder(path):
                yield Finding(path, "it is no folder", "set aside", (partial(set_aside, path),))
        for path in [*listed(self.path), *everything_in(self.path / "tables")]:
            yield from leftovers(path)


@dataclass(frozen=True)
class Stray(_Open):
    """Something among the runs that is no folder."""

    path: Path
    store: Path

    def inspect(self) -> Checked:
        move = (partial(move_run, self.path, self.store / "damaged"),)
        what = "it is no folder, as each run is"
        return Checked((Finding(self.path, what, "moved to the store's 'damaged'", move),))

    def removable(self, wanted: Wanted) -> Iterator[Removable]:  # noqa: ARG002
        yield from ()


@dataclass(frozen=True)
class Run:
    """A run's folder, mended under its lease."""

    path: Path
    damaged: Path

    @property
    def _folder(self) -> RunFolder:
        return RunFolder(self.path)

    def is_busy(self) -> bool:
        return is_live(self._folder)

    def lock_findings(self) -> Iterator[Finding]:
        return lease_findings(self._folder)

    def held(self) -> AbstractContextManager[Any]:
        return self._folder.lease()

    def inspect(self) -> Checked:
        return run.inspect(self._folder, self.damaged)

    def removable(self, wanted: Wanted) -> Iterator[Removable]:
        return of_run(self._folder, wanted)


@dataclass(frozen=True)
class Throughputs:
    """How fast cells are, mended while no cell is timed."""

    path: Path

    def is_busy(self) -> bool:
        return False

    def lock_findings(self) -> Iterator[Finding]:
        lock = self.path / "lock"
        if os.path.lexists(lock) and not is_plain(lock):
            aside = (partial(set_aside, lock),)
            yield Finding(lock, "it is a link, or no plain file", "set aside", aside)

    def held(self) -> AbstractContextManager[Any]:
        return FileLock(self.path / "lock", timeout=0)

    def inspect(self) -> Checked:
        return Checked(tuple(self._findings()))

    def removable(self, wanted: Wanted) -> Iterator[Removable]:
        return of_folder(self.path, wanted)

    def _findings(self) -> Iterator[Finding]:
        for path in listed(self.path):
            if path.suffix == ".json":
                yield from self._record_findings(path)
            else:
                yield from leftovers(path)

    def _record_findings(self, path: Path) -> Iterator[Finding]:
        try:
            record = read_record(path, shapes.THROUGHPUT)
            if path.stem != f"{record['cell']}-{record['environment']['machine']}":
                raise Damaged("it is the speed of another cell, or of another machine")
        except Damaged as error:
            aside = (partial(set_aside, path),)
            yield Finding(path, str(error), "set aside: the cell will be timed again", aside)
        except Newer as error:
            yield Finding(path, str(error), "upgrade ganbench")
        except Shut as error:
            yield Finding(path, f"it can't be read: {error}", "see to its permissions, or the disk")
