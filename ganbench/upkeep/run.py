"""One run's folder, looked at as a whole."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ganbench import files
from ganbench.store import RESULTS, Outcome, RunFolder
from ganbench.upkeep import acts, keys, shapes
from ganbench.upkeep.contents import check_tensors, content_findings
from ganbench.upkeep.findings import Checked, Finding
from ganbench.upkeep.folders import listed
from ganbench.upkeep.leases import is_old
from ganbench.upkeep.reading import (
    Damaged,
    Lines,
    Newer,
    Shut,
    digest_of,
    read_lines,
    read_record,
)

T = TypeVar("T")

# What a result rests on: without one of these the run has to be done again.
_RESULT = ("events.jsonl", "generator.safetensors")
_READ = frozenset(
    {"recipe.json", "outcome.json", "environment.json", "attempts.jsonl", "events.jsonl",
     "evaluations.jsonl", "generator.safetensors", "lease"}
)  # fmt: skip
_GOES_ON = "the run goes on from a checkpoint, or begins anew"
# What setting one of them aside comes to.
_THEN = {
    "outcome.json": f"set aside: {_GOES_ON}",
    "environment.json": "set aside: its speed is not shown until it is done again",
    "events.jsonl": "set aside: the run begins anew",
}


def inspect(folder: RunFolder, damaged: Path) -> Checked:
    """Read everything in a run's folder that nobody is writing in.

    Args:
        damaged: the store's folder for runs that can't be used.
    """
    inspection = _Inspection(folder, damaged)
    return Checked(tuple(inspection.findings()), inspection.status)


class _Inspection:
    """Goes through a run's files and notes what is wrong."""

    def __init__(self, folder: RunFolder, damaged: Path) -> None:
        self.status = "unreadable"
        self._folder = folder
        self._move = partial(acts.move_run, folder.path, damaged)
        self._outcome: Mapping[str, Any] | None = None
        self._found: list[Finding] = []

    def findings(self) -> list[Finding]:
        try:
            self._inspect()
        except Newer as error:
            self.status = "of a newer ganbench"
            return [Finding(self._folder.path, str(error), "upgrade ganbench")]
        except (Shut, OSError) as error:
            remedy = "see to its permissions, or to the disk"
            return [Finding(self._folder.path, f"it can't be read: {error}", remedy)]
        return self._found

    def _inspect(self) -> None:
        if self._was_being_planned():
            self.status = ""
            remedy = "nothing to do, planning it again makes it whole"
            self._note(self._folder.path, "planning it was cut short", remedy, loses=False)
            return
        recipe = self._read("recipe.json", partial(read_record, shape=shapes.RECIPE))
        if recipe is None or not self._is_own(recipe):
            return
        self._outcome = self._read_if_there("outcome.json", shapes.OUTCOME)
        self._read_if_there("environment.json", shapes.ENVIRONMENT)
        attempts = self._read_lines("attempts.jsonl", shapes.attempt)
        self._read_lines("evaluations.jsonl", lambda _: shapes.EVALUATION)
        events = self._read_lines("events.jsonl", shapes.event)
        if self._outcome is not None:
            self._look_at_outcome(self._outcome, attempts, events)
        elif not os.path.lexists(self._folder.path / "outcome.json"):
            self.status = str(Outcome.INTERRUPTED) if attempts.records else "not started"
        self._found += content_findings(self._folder.path, _READ, has_result=self._has_result)

    def _was_being_planned(self) -> bool:
        names = [path.name for path in listed(self._folder.path)]
        return all(name.startswith(files.UNFINISHED) or name == "lease" for name in names)

    def _is_own(self, recipe: Mapping[str, Any]) -> bool:
        if recipe["key"] != self._folder.key:
            self._damaged("recipe.json", f"it is the recipe of the run '{recipe['key'][:64]}'")
        elif not keys.is_sound(recipe):
            self._damaged("recipe.json", "its key is not that of what it says")
        return not self._found

    @property
    def _has_result(self) -> bool:
        return self._outcome is not None and self._outcome["outcome"] in RESULTS

    def _look_at_outcome(self, outcome: Mapping[str, Any], attempts: Lines, events: Lines) -> None:
        self.status = str(outcome["outcome"])
        path, attempt = self._folder.path / "outcome.json", outcome.get("attempt", 0)
        if any(a["event"] == "ended" and a["attempt"] == attempt for a in attempts.records):
            what = "a later attempt was cut short when it did away with this outcome"
            self._note(path, what, f"deleted: {_GOES_ON}", partial(files.remove, path), loses=False)
            return
        if outcome["outcome"] == Outcome.COMPLETED:
            self._read("generator.safetensors", check_tensors)
        for name, digest in (outcome.get("sha256") or {}).items():
            if name in _RESULT and self._is_read(name) and digest_of(self._path(name)) != digest:
                self._damaged(name, "it is not what was written: its sha256 is another")
        if not self._has_result:
            return
        if not os.path.lexists(self._path("events.jsonl")):
            self._damaged("events.jsonl", "it is not there")
        elif self._is_read("events.jsonl") and (fault := _contradiction(events.records, outcome)):
            self._damaged("events.jsonl", fault)

    def _path(self, name: str) -> Path:
        return self._folder.path / name

    def _is_read(self, name: str) -> bool:
        """Whether it is there and nothing is wrong with it so far."""
        path = self._path(name)
        return path.exists() and all(finding.path != path for finding in self._found)

    def _read(self, name: str, read: Callable[[Path], T]) -> T | None:
        """What is read; None where it can't be, which is noted."""
        try:
            return read(self._path(name))
        except Damaged as error:
            self._damaged(name, str(error))
        return None

    def _read_if_there(self, name: str, shape: shapes.Shape) -> dict[str, Any] | None:
        if not os.path.lexists(self._path(name)):
            return None
        return self._read(name, partial(read_record, shape=shape))

    def _read_lines(self, name: str, shape_of: shapes.Shaping) -> Lines:
        """The lines that can be read, where there are any; that others can't be is noted."""
        path = self._path(name)
        if not os.path.lexists(path):
            return Lines()
        lines = self._read(name, partial(read_lines, shape_of=shape_of)) or Lines()
        if name == "events.jsonl" and (lines.fault or (lines.torn and self._has_result)):
            self._damaged_events(lines)
        elif lines.fault:
            keep = partial(acts.keep_only, path, lines.sound)
            self._note(path, lines.fault, "kept without it, and set aside as it is", keep)
        elif lines.torn and (name != "evaluations.jsonl" or is_old(path)):
            cut = partial(files.cut, path, len(lines.sound))
            self._note(path, "its last line was cut short", "cut", cut, loses=False)
        return lines

    def _damaged_events(self, lines: Lines) -> None:
        if self._has_result:
            self._damaged("events.jsonl", lines.fault or "its last line was cut short")
            return
        path = self._path("events.jsonl")
        keep = partial(acts.keep_only, path, lines.before)
        remedy = f"kept as far as it is sound, and set aside as it is: {_GOES_ON}"
        self._note(path, lines.fault, remedy, keep)

    def _damaged(self, name: str, what: str) -> None:
        """Note that it is to be set aside, with what rests on it."""
        path = self._path(name)
        aside = partial(acts.set_aside, path)
        if name == "recipe.json":
            self._note(path, what, "moved, the whole run, to the store's 'damaged'", self._move)
        elif name in _RESULT and self._has_result:
            outcome = partial(acts.set_aside, self._path("outcome.json"))
            remedy = "set aside with its outcome: the run will be done again"
            self._note(path, what, remedy, outcome, aside)
        else:
            self._note(path, what, _THEN.get(name, "set aside"), aside)

    def _note(
        self, path: Path, what: str, remedy: str, *mending: Callable[[], None], loses: bool = True
    ) -> None:
        self._found.append(Finding(path, what, remedy, mending, loses))


def _contradiction(events: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any]) -> str:
    """Where what happened is not what led to a result; empty if it is."""
    kinds = [event["event"] for event in events]
    if kinds[:1] != ["started"] or kinds.count("started") > 1:
        return "it does not begin with the start of the run"
    steps = [event["generator_steps"] for event in events if "generator_steps" in event]
    if steps != sorted(steps) or (steps and steps[-1] > outcome.get("generator_steps", 0)):
        return "its steps are not those of the outcome"
    if outcome["outcome"] != Outcome.COMPLETED:
        return ""
    if kinds[-1] != "evaluated" or steps[-1] != outcome.get("generator_steps"):
        return "the run completed, and its last evaluation is not there"
    return ""
