"""What runs leave on disk.

    STORE/store.json                      the schema's version: what makes a folder a store
    STORE/runs/KEY/recipe.json            one planned run's whole recipe; KEY is its sha256
    STORE/runs/KEY/attempts.jsonl         a line for each attempt that began, and for each whose
                                          outcome another attempt did away with
    STORE/runs/KEY/environment.json       the machine and the packages of the last attempt
    STORE/runs/KEY/events.jsonl           what happened, a line each, flushed as it happens
    STORE/runs/KEY/checkpoints/STEP/      from where an interrupted run goes on (checkpoint.py)
    STORE/runs/KEY/samples/*.png          fakes of fixed latents over time
    STORE/runs/KEY/generator.safetensors  the generator that the last evaluation scored
    STORE/runs/KEY/evaluations.jsonl      what it scored when it was scored again, a line each
    STORE/runs/KEY/log.txt                what the run printed
    STORE/runs/KEY/outcome.json           how it ended; the first writer wins
    STORE/runs/KEY/lease                  there while a process does the run
    STORE/throughput/CELL-MACHINE.json    one cell's speed on one machine

Whoever holds a run's lease writes in its folder, and nobody else but for `evaluations.jsonl`.
How files are written so that a crash at any moment leaves each whole is in `files.py`.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

from filelock import Timeout

from ganbench import records
from ganbench.errors import StoreError
from ganbench.files import (
    UNFINISHED,
    append_line,
    cut,
    encoded,
    read_json,
    remove,
    write_atomically,
    write_exclusively,
    write_json,
    writing,
)
from ganbench.lease import LEASE_SECONDS, Lease

SCHEMA = records.SCHEMA
_ELSEWHERE = "\n  Name a new or empty folder, or a store, with `--store FOLDER`."


class Outcome(StrEnum):
    """How a run ended; INTERRUPTED is one that began and has no outcome yet."""

    COMPLETED = "completed"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    PLUGIN_ERROR = "plugin_error"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


# Those that say something of the loss.
RESULTS = frozenset({Outcome.COMPLETED, Outcome.DIVERGED})
FAILURES = frozenset(
    {Outcome.OUT_OF_MEMORY, Outcome.TIMED_OUT, Outcome.PLUGIN_ERROR, Outcome.CRASHED}
)
# What makes two failures the same.
_MANNER = ("outcome", "plugin", "type", "signal", "exit_code")


def _nothing(*_: object) -> None: ...


@dataclass(frozen=True)
class RunFolder:
    """One run's folder.

    Args:
        check_held: called before each write of whoever does the run; it may end the process.
    """

    path: Path
    check_held: Callable[[], None] = field(default=_nothing, compare=False, repr=False)

    @property
    def key(self) -> str:
        return self.path.name

    def lease(self, on_lost: Callable[[Any], None] = _nothing) -> Lease:
        """Held by whoever is doing the run.

        Args:
            on_lost: called, in any thread, if it was taken from its holder, who was taken for
                dead.
        """
        lease = Lease(
            self.path / "lease", lease_duration=LEASE_SECONDS, on_compromise=on_lost, timeout=0
        )
        lease.on_lost = on_lost
        return lease

    def held_by(self, lease: Lease) -> "RunFolder":
        """The same, in which nothing more is written when the lease is lost."""
        return replace(self, check_held=lease.check)

    def plan(self, recipe: Mapping[str, Any]) -> None:
        """Make the folder with its recipe; where data lie may have changed since it was made."""
        path = self.path / "recipe.json"
        if not path.exists() or (not self.has_result and read_json(path) != recipe):
            write_json(path, recipe)

    def recipe(self) -> dict[str, Any]:
        return records.recipe(self.path)

    def attempts(self) -> list[dict[str, Any]]:
        """The lines of `attempts.jsonl`."""
        return records.attempts(self.path)

    @property
    def last_attempt(self) -> int:
        """The number of attempts that began."""
        return sum(line["event"] == "began" for line in self.attempts())

    def begin_attempt(self, **about: Any) -> int:
        """Note that an attempt begins; return its number, from 1."""
        number = 1 + self.last_attempt
        about = {"time": time.time(), "host": socket.gethostname(), "pid": os.getpid(), **about}
        self._note_attempt({"event": "began", "attempt": number, **about})
        return number

    def note_resumption(self, attempt: int, generator_steps: int) -> None:
        """Note from where an attempt goes on."""
        line = {"event": "resumed", "attempt": attempt, "generator_steps": generator_steps}
        self._note_attempt(line)

    def supersede(self, attempt: int) -> None:
        """Do away with the outcome of the attempt of this number; it stays in `attempts.jsonl`."""
        outcome = self.outcome()
        if outcome is None or outcome.get("attempt", 0) != attempt:
            return
        if not any(line["attempt"] == attempt for line in self.superseded()):
            self._note_attempt({**outcome, "event": "ended", "attempt": attempt})
        remove(self.path / "outcome.json")

    def superseded(self) -> list[dict[str, Any]]:
        """The outcomes of earlier attempts."""
        return [line for line in self.attempts() if line["event"] == "ended"]

    def _note_attempt(self, line: Mapping[str, Any]) -> None:
        append_line(self.path / "attempts.jsonl", {"schema": SCHEMA, **line})

    def begin_anew(self) -> None:
        """Forget what an earlier attempt left unfinished."""
        self.check_held()
        rmtree(self.checkpoints_path, ignore_errors=True)
        _delete((*self.pictures(), self.generator_path))
        write_atomically(self.path / "events.jsonl", b"")

    def go_on_from(self, events_size: int, generator_steps: int) -> None:
        """Forget what happened after a checkpoint: it will happen again."""
        self.check_held()
        cut(self.path / "events.jsonl", events_size)
        _delete(p for p in self.pictures() if int(p.stem) > generator_steps)

    def sweep(self) -> None:
        """Delete files that were being written when a process ended."""
        _delete(self.path.rglob(f"{UNFINISHED}*"))

    def tidy(self) -> None:
        """Delete what a run with a result keeps for nothing: its process was killed just then."""
        if self.checkpoints_path.exists() and self.has_result:
            with suppress(Timeout), self.lease():
                rmtree(self.checkpoints_path, ignore_errors=True)
                self.sweep()

    def save_environment(self, environment: Mapping[str, Any]) -> None:
        write_json(self.path / "environment.json", {"schema": SCHEMA, **environment})

    def machine(self) -> str | None:
        """The digest of the machine of the last attempt, if there was one."""
        return records.environment(self.path).get("machine")

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add a line to the run's events; on disk when this returns."""
        self.check_held()
        append_line(self.path / "events.jsonl", event)

    def append_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Add a line for a later evaluation of the run's generator; it is no part of the run."""
        append_line(self.path / "evaluations.jsonl", {"schema": SCHEMA, **evaluation})

    def events(self, start: int = 0, end: int | None = None) -> list[dict[str, Any]]:
        """All whole events between two sizes of their file; a line cut short is left out."""
        return records.events(self.path, start=start, end=end)

    @property
    def events_size(self) -> int:
        """Bytes of all events so far."""
        path = self.path / "events.jsonl"
        return path.stat().st_size if path.exists() else 0

    def digests(self) -> dict[str, str]:
        """The sha256 of what the run's result is read from."""
        paths = (self.path / "events.jsonl", self.generator_path)
        return {p.name: sha256(p.read_bytes()).hexdigest() for p in paths if p.exists()}

    def finish(self, outcome: Outcome, **details: Any) -> bool:
        """Write how the run ended; False if somebody had done so before."""
        self.check_held()
        content = {"schema": SCHEMA, "outcome": outcome, **details}
        return write_exclusively(self.path / "outcome.json", encoded(content))

    def outcome(self) -> dict[str, Any] | None:
        """How the run ended, or None if it has not."""
        return records.outcome(self.path)

    @property
    def status(self) -> str:
        """Its outcome; without one, `running`, `interrupted` or `not started`."""
        outcome = self.outcome()
        if outcome is not None:
            return str(outcome["outcome"])
        if self.is_leased:
            return "running"
        return str(Outcome.INTERRUPTED) if self.attempts() else "not started"

    @property
    def is_leased(self) -> bool:
        """Whether a process is doing the run, as far as can be seen without taking its lease."""
        lease = self.lease()
        try:
            age = time.time() - Path(lease.lock_file).stat().st_mtime
        except FileNotFoundError:
            return False
        return age < LEASE_SECONDS and not _is_gone(lease.pid, self.attempts())

    @property
    def has_result(self) -> bool:
        outcome = self.outcome()
        return outcome is not None and outcome["outcome"] in RESULTS

    @property
    def failed_twice(self) -> bool:
        """Whether it failed, and an earlier attempt had failed in the same way."""
        outcome = self.outcome()
        if outcome is None or outcome["outcome"] not in FAILURES:
            return False
        earlier = [e for e in self.superseded() if e["attempt"] != outcome.get("attempt", 0)]
        return any(_manner(outcome) == _manner(each) for each in earlier)

    def save_picture(self, generator_steps: int, content: bytes) -> None:
        self.check_held()
        write_atomically(self.path / "samples" / f"{generator_steps:08d}.png", content)

    @property
    def generator_path(self) -> Path:
        return self.path / "generator.safetensors"

    def save_generator(self, content: bytes) -> None:
        self.check_held()
        write_atomically(self.generator_path, content)

    @property
    def checkpoints_path(self) -> Path:
        return self.path / "checkpoints"

    def pictures(self) -> list[Path]:
        return sorted((self.path / "samples").glob("[0-9]*.png"))


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        with writing(path):
            path.unlink(missing_ok=True)


def _manner(outcome: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(outcome.get(name) for name in _MANNER)


def _is_gone(pid: int | None, attempts: list[dict[str, Any]]) -> bool:
    """Whether the holder of a lease was on this machine and is no more."""
    last = next((line for line in reversed(attempts) if line.get("pid") == pid), None)
    if pid is None or last is None or last.get("host") != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


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
        content = read_json(path / "store.json")
        schema = content.get("schema")
        if schema != SCHEMA:
            raise StoreError(
                f"'{path}' is a store of schema {schema}; this ganbench reads schema {SCHEMA}."
                + "\n  A newer ganbench made it: upgrade this one." * records.is_newer(content)
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
        # Looked at before store.json, which another process may be making.
        content = nearest == path and [p for p in path.iterdir() if not _is_unfinished(p)]
        if content and not (path / "store.json").exists():
            raise StoreError(f"'{path}' is no ganbench store and is not empty.{_ELSEWHERE}")

    def run(self, key: str) -> RunFolder:
        return RunFolder(self.path / "runs" / key)

    def runs(self) -> Iterator[RunFolder]:
        """Every run that has a recipe."""
        for recipe in sorted((self.path / "runs").glob("*/recipe.json")):
            yield RunFolder(recipe.parent)

    def throughput_path(self, cell: str, machine: str) -> Path:
        return self.path / "throughput" / f"{cell}-{machine}.json"

    def is_timed(self, cell: str, machine: str) -> bool:
        """Whether the cell was timed on that machine; `*` is any."""
        return any((self.path / "throughput").glob(f"{cell}-{machine}.json"))

    def throughputs(self) -> list[dict[str, Any]]:
        return [read_json(path) for path in sorted((self.path / "throughput").glob("*.json"))]


def _is_unfinished(path: Path) -> bool:
    return path.name.startswith(UNFINISHED)


def _create(path: Path) -> None:
    Store.check(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not (path / "store.json").exists():
            write_json(path / "store.json", {"schema": SCHEMA})
        with tempfile.TemporaryFile(dir=path):
            pass
    except (OSError, StoreError) as error:
        reason = getattr(error.__cause__ or error, "strerror", error)
        raise StoreError(f"store '{path}' can't be written: {reason}.{_ELSEWHERE}") from error
