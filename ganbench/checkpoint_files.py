"""Checkpoints on disk: from where an interrupted run goes on.

    CHECKPOINTS/STEP/state.safetensors  the game, as `checkpoint.capture` sees it
    CHECKPOINTS/STEP/progress.json      how far the run is
    CHECKPOINTS/STEP/manifest.json      the sha256 of both; written last, and without it there is
                                        no checkpoint

STEP is the number of generator steps. The last two are kept: an older one is deleted when the
newer has been read back and found sound.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

import safetensors.torch
from torch import Tensor

from ganbench.errors import StoreError
from ganbench.files import encoded, read_json, remove, write_atomically, write_json
from ganbench.records import is_newer

SCHEMA = 1
_KEPT = 2
_STATE, _PROGRESS, _MANIFEST = "state.safetensors", "progress.json", "manifest.json"


class Newer(StoreError):
    """A checkpoint of a newer ganbench than this."""


@dataclass(frozen=True)
class Checkpoint:
    """A game, and how far the run was."""

    state: Mapping[str, Tensor]
    progress: Mapping[str, Any]


def _nothing() -> None: ...


@dataclass(frozen=True)
class Checkpoints:
    """Those of one run.

    Args:
        check_held: called before each write; it may end the process.
    """

    folder: Path
    check_held: Callable[[], None] = _nothing

    def save(self, step: int, state: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
        """Write one; it is sound, and on disk, when this returns.

        Raises:
            StoreError: it can't be written, or is not what was written when it is read back.
        """
        folder = self.folder / f"{step:010d}"
        tensors = {name: tensor.contiguous() for name, tensor in state.items()}
        contents = {
            _STATE: safetensors.torch.save(tensors, {"schema": str(SCHEMA)}),
            _PROGRESS: encoded({"schema": SCHEMA, **progress}),
        }
        for name, content in contents.items():
            self.check_held()
            write_atomically(folder / name, content)
        digests = {name: sha256(content).hexdigest() for name, content in contents.items()}
        self.check_held()
        write_json(folder / _MANIFEST, {"schema": SCHEMA, "sha256": digests})
        _contents(folder)
        for older in self._folders()[_KEPT:]:
            _delete(older)

    def sound(self) -> Iterator[Checkpoint]:
        """Those that hold what was written, the latest first; others are passed over, aloud.

        Raises:
            Newer: one was written by a newer ganbench, whose run this would undo.
        """
        for folder in self._folders():
            try:
                yield _read(folder)
            except Newer:
                raise
            except StoreError as error:
                print(f"checkpoint left out: {error}", file=sys.stderr)

    def faults(self) -> list[str]:
        """What is wrong with each that is not sound."""
        return [str(fault) for fault in map(fault_of, self._folders()) if fault]

    def forget_after(self, step: int) -> None:
        """Delete those of later steps, from which a run that goes on from `step` did not go on.

        One whose events were lost would look fit again when other events have taken their place.
        """
        for folder in self.folder.iterdir():
            if folder.name.isdigit() and int(folder.name) > step:
                _delete(folder)

    def remove(self) -> None:
        """Delete all of them."""
        for folder in self._folders():
            _delete(folder)
        rmtree(self.folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        """Of all that were finished, the latest first."""
        found = [p.parent for p in self.folder.glob(f"*/{_MANIFEST}") if p.parent.name.isdigit()]
        return sorted(found, key=lambda folder: int(folder.name), reverse=True)


def _delete(folder: Path) -> None:
    """Its manifest goes first: what is left of a deletion that was cut short is no checkpoint."""
    with suppress(StoreError):
        remove(folder / _MANIFEST)
    rmtree(folder, ignore_errors=True)


def fault_of(folder: Path) -> StoreError | None:
    """Why nothing can go on from one that was finished; None if something can."""
    try:
        _read(folder)
    except StoreError as error:
        return error
    return None


def _read(folder: Path) -> Checkpoint:
    contents = _contents(folder)
    try:
        state = safetensors.torch.load(contents[_STATE])
        progress = json.loads(contents[_PROGRESS])
    except Exception as error:  # a file that was tampered with fails in every way there is
        raise StoreError(f"'{folder}' is no checkpoint: {error}") from error
    if not isinstance(progress, dict):
        raise StoreError(f"'{folder}' is no checkpoint: its progress is no JSON object")
    _check_schema(folder, progress)
    return Checkpoint(state, progress)


def _check_schema(folder: Path, content: Mapping[str, Any]) -> None:
    if is_newer(content):
        raise Newer(f"'{folder}' is a checkpoint of a newer schema than {SCHEMA}: upgrade ganbench")
    if content.get("schema") != SCHEMA:
        raise StoreError(f"'{folder}' is a checkpoint of another schema than {SCHEMA}")


def _contents(folder: Path) -> dict[str, bytes]:
    """Both files, if they are what the manifest says."""
    manifest = read_json(folder / _MANIFEST)
    _check_schema(folder, manifest)
    digests = manifest.get("sha256")
    contents = {}
    for name in (_STATE, _PROGRESS):
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            raise StoreError(f"'{folder / name}' can't be read: {error.strerror}") from error
        found = sha256(contents[name]).hexdigest()
        if not isinstance(digests, dict) or digests.get(name) != found:
            raise StoreError(f"'{folder / name}' is not what was written: its sha256 is {found}")
    return contents
