"""What runs leave on disk.

    STORE/store.json                      the schema's version: what makes a folder a store
    STORE/runs/KEY/recipe.json            one planned run's whole recipe; KEY is its sha256
    STORE/runs/KEY/environment.json       the machine and the packages of the last attempt
    STORE/runs/KEY/events.jsonl           what happened, a line each, flushed as it happens
    STORE/runs/KEY/samples/*.png          fakes of fixed latents over time
    STORE/runs/KEY/generator.safetensors  the generator that the last evaluation scored
    STORE/runs/KEY/evaluations.jsonl      what it scored when it was scored again, a line each
    STORE/runs/KEY/log.txt                what the run printed
    STORE/runs/KEY/outcome.json           how it ended; the first writer wins
    STORE/throughput/CELL-MACHINE.json    one cell's speed on one machine

Files appear whole: they are written under another name in the same folder, synced and renamed.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from ganbench.errors import StoreError

SCHEMA = 1
_ELSEWHERE = "\n  Name a new or empty folder, or a store, with `--store FOLDER`."


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    PLUGIN_ERROR = "plugin_error"
    CRASHED = "crashed"
    SKIPPED = "skipped"


# Those that say something of the loss: such a run is reused, others are tried again.
RESULTS = frozenset({Outcome.COMPLETED, Outcome.DIVERGED})


@dataclass(frozen=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @property
    def key(self) -> str:
        return self.path.name

    @property
    def lock(self) -> FileLock:
        """Held by whoever is doing the run."""
        return FileLock(self.path / "lock")

    def plan(self, recipe: Mapping[str, Any]) -> None:
        """Make the folder with its recipe; where data lie may have changed since it was made."""
        path = self.path / "recipe.json"
        if not path.exists() or (not self.has_result and read_json(path) != recipe):
            write_json(path, recipe)

    def recipe(self) -> dict[str, Any]:
        return read_json(self.path / "recipe.json")

    def begin_attempt(self) -> None:
        """Forget what an earlier attempt left unfinished."""
        (self.path / "outcome.json").unlink(missing_ok=True)
        for leftover in (*self.pictures(), self.generator_path):
            leftover.unlink(missing_ok=True)
        write_atomically(self.path / "events.jsonl", b"")

    def save_environment(self, environment: Mapping[str, Any]) -> None:
        write_json(self.path / "environment.json", environment)

    def machine(self) -> str | None:
        """The digest of the machine of the last attempt, if there was one."""
        path = self.path / "environment.json"
        return read_json(path).get("machine") if path.exists() else None

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add a line to the run's events; on disk when this returns."""
        _append(self.path / "events.jsonl", event)

    def append_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Add a line for a later evaluation of the run's generator; it is no part of the run."""
        _append(self.path / "evaluations.jsonl", evaluation)

    def events(self) -> list[dict[str, Any]]:
        """All whole events; a last line that was cut short is left out."""
        try:
            text = (self.path / "events.jsonl").read_bytes()
        except FileNotFoundError:
            return []
        lines = [line for line in text.splitlines(keepends=True) if line[-1:] == b"\n"]
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise StoreError(f"'{self.path / 'events.jsonl'}' can't be read: {error}") from error

    def finish(self, outcome: Outcome, **details: Any) -> bool:
        """Write how the run ended; False if somebody had done so before."""
        content = {"schema": SCHEMA, "outcome": outcome, **details}
        return write_exclusively(self.path / "outcome.json", _encoded(content))

    def outcome(self) -> dict[str, Any] | None:
        """How the run ended, or None if it has not."""
        path = self.path / "outcome.json"
        return read_json(path) if path.exists() else None

    @property
    def has_result(self) -> bool:
        outcome = self.outcome()
        return outcome is not None and outcome["outcome"] in RESULTS

    def picture_path(self, generator_steps: int) -> Path:
        folder = self.path / "samples"
        folder.mkdir(exist_ok=True)
        return folder / f"{generator_steps:08d}.png"

    @property
    def generator_path(self) -> Path:
        return self.path / "generator.safetensors"

    def save_generator(self, content: bytes) -> None:
        write_atomically(self.generator_path, content)

    def pictures(self) -> list[Path]:
        return sorted((self.path / "samples").glob("*.png"))


class Store:
    """A results folder.

    Raises:
        StoreError: `path` is something else, can't be written, or is of a newer schema.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if create:
            _create(path)
        if not (path / "store.json").is_file():
            raise StoreError(
                f"'{path}' is no ganbench store: it has no store.json.\n"
                "  `ganbench run` makes one; name it with `--store FOLDER`."
            )
        schema = read_json(path / "store.json").get("schema")
        if schema != SCHEMA:
            raise StoreError(
                f"'{path}' is a store of schema {schema}; this ganbench reads schema {SCHEMA}."
            )

    @staticmethod
    def check(path: Path) -> None:
        """Refuse a folder that could not become a store, without making it.

        Raises:
            StoreError: it is something else, or can't be written.
        """
        nearest = next(p for p in (path, *path.absolute().parents) if os.path.exists(p))  # noqa: PTH110
        if not nearest.is_dir():
            raise StoreError(f"store '{path}' can't be made: '{nearest}' is no folder.{_ELSEWHERE}")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise StoreError(f"store '{path}' can't be written: permission denied.{_ELSEWHERE}")
        if nearest == path and not (path / "store.json").exists() and any(path.iterdir()):
            raise StoreError(f"'{path}' is no ganbench store and is not empty.{_ELSEWHERE}")

    def run(self, key: str) -> RunFolder:
        return RunFolder(self.path / "runs" / key)

    def runs(self) -> Iterator[RunFolder]:
        """Every run that has a recipe."""
        for recipe in sorted((self.path / "runs").glob("*/recipe.json")):
            yield RunFolder(recipe.parent)

    def throughput_path(self, cell: str, machine: str) -> Path:
        return self.path / "throughput" / f"{cell}-{machine}.json"

    def throughputs(self) -> list[dict[str, Any]]:
        return [read_json(path) for path in sorted((self.path / "throughput").glob("*.json"))]


def _create(path: Path) -> None:
    Store.check(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not (path / "store.json").exists():
            write_json(path / "store.json", {"schema": SCHEMA})
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StoreError(
            f"store '{path}' can't be written: {error.strerror}.{_ELSEWHERE}"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; StoreError, naming the file, if it is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"'{path}' can't be read: {error}") from error
    if not isinstance(content, dict):
        raise StoreError(f"'{path}' can't be read: it is no JSON object")
    return content


def _append(path: Path, line: Mapping[str, Any]) -> None:
    with path.open("ab") as file:
        file.write(json.dumps(line, allow_nan=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _encoded(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_atomically(path, _encoded(content))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole."""
    sibling = _synced_sibling(path, content)
    try:
        sibling.replace(path)
    except OSError:
        sibling.unlink()
        raise
    _sync_folder(path.parent)


def write_exclusively(path: Path, content: bytes) -> bool:
    """Create a file as a whole; False if it is there already."""
    sibling = _synced_sibling(path, content)
    try:
        os.link(sibling, path)
    except FileExistsError:
        return False
    finally:
        sibling.unlink()
    _sync_folder(path.parent)
    return True


def _synced_sibling(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sibling = path.parent / f".{path.name}.{uuid4().hex}"
    try:
        with sibling.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        sibling.unlink(missing_ok=True)
        raise
    return sibling


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
