"""What a run's folder holds, read and checked: a store may be damaged, or come from anywhere.

Of a field that is there the type has to be right, and those that a caller needs have to be
there. Fields that are not listed here are nobody's business but their reader's.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from reprlib import repr as brief
from typing import Any, NamedTuple

from ganbench.files import find_json, read_json, read_lines, unreadable

SCHEMA = 1
# What an experiment is made of again.
WHOLE = (
    "loss", "penalties", "architecture", "schedule", "dataset", "metrics", "protocol", "seed",
    "machine", "key",
)  # fmt: skip
# How lines of `events.jsonl` begin that tell of training alone.
PROGRESS = '{"event": "progress"'


def recipe(folder: Path, *needed: str) -> dict[str, Any]:
    """What was planned.

    Raises:
        StoreError: it can't be read, is something else, or lacks a field that is needed.
    """
    path = _of(folder, "recipe.json")
    return _checked(path, read_json(path), RECIPE, needed)


def outcome(folder: Path) -> dict[str, Any] | None:
    """How the run ended, or None if it has not. Raises as `recipe` does."""
    path = _of(folder, "outcome.json")
    content = find_json(path)
    return None if content is None else _checked(path, content, OUTCOME, ["outcome"])


def environment(folder: Path) -> dict[str, Any]:
    """What the last attempt ran in; empty before the first. Raises as `recipe` does."""
    path = _of(folder, "environment.json")
    return _checked(path, find_json(path) or {}, ENVIRONMENT, [])


def events(
    folder: Path, *needed: str, skipped: str = "", start: int = 0, end: int | None = None
) -> list[dict[str, Any]]:
    """What happened; the rest as of `read_lines`. Raises as `recipe` does."""
    path = _of(folder, "events.jsonl")
    lines = read_lines(path, skipped, start, end)
    return [_checked(path, line, EVENT, needed) for line in lines]


def attempts(folder: Path) -> list[dict[str, Any]]:
    """What was noted of its attempts. Raises as `recipe` does."""
    path = _of(folder, "attempts.jsonl")
    return [_checked(path, line, ATTEMPT, ["event", "attempt"]) for line in read_lines(path)]


def throughput(path: Path) -> dict[str, Any]:
    """One cell's speed on one machine; empty if it was not measured. Raises as `recipe` does."""
    return _checked(path, find_json(path) or {}, THROUGHPUT, [])


def _of(folder: Path, name: str) -> Path:
    if folder.is_symlink():
        raise unreadable(folder, "it is a link, and in a store none is followed")
    return folder / name


class Type(NamedTuple):
    """What a field has to be, in words, and whether a value is that."""

    words: str
    fits: Callable[[Any], bool]


def is_newer(content: Mapping[str, Any]) -> bool:
    """Whether a record is of a schema that is not known yet."""
    schema = content.get("schema", SCHEMA)
    return type(schema) is int and schema > SCHEMA


def misfit(content: Mapping[str, Any], types: Mapping[str, Type], needed: Sequence[str]) -> str:
    """What is wrong with the fields of a record; empty if nothing is."""
    for name in needed:
        if name not in content:
            return f"it has no '{name}'"
    for name, (words, fits) in types.items():
        if name in content and not fits(content[name]):
            return f"'{name}' has to be {words}, not {brief(content[name])}"
    return ""


def _checked(
    path: Path, content: dict[str, Any], types: Mapping[str, Type], needed: Sequence[str]
) -> dict[str, Any]:
    if is_newer(content):
        raise unreadable(path, f"a newer ganbench wrote it (schema {content['schema']}): upgrade")
    if fault := misfit(content, types, needed):
        raise unreadable(path, fault)
    return content


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_number(value: Any) -> bool:
    return type(value) is float or _is_whole(value)


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


def _are_numbers(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    others = [n for n in value.values() if type(n) is not float and n is not None]
    return all(map(_is_whole, others))


def _has_texts(value: Any, *names: str) -> bool:
    return isinstance(value, dict) and all(_is_text(value.get(name)) for name in names)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_part(value: Any) -> bool:
    return _has_texts(value, "name", "short") and _are_texts(value.get("fields"))


def _is_dataset(value: Any) -> bool:
    return _is_part(value) and _has_texts(value, "fingerprint")


def _is_score(value: Any) -> bool:
    if not _is_part(value) or not _is_list(value.get("settings"), _is_text):
        return False
    return "extractor" in value and (value["extractor"] is None or _is_part(value["extractor"]))


def _is_column(value: Any) -> bool:
    return _has_texts(value, "name", "direction")


_TEXT = Type("text", _is_text)
_TEXT_OR_NULL = Type("text or null", lambda value: value is None or _is_text(value))
_WHOLE = Type("a whole number of 64 bits", _is_whole)
_NUMBER = Type("a number", _is_number)
_NUMBERS = Type("numbers by name", _are_numbers)
DIGESTS = Type("digests of files by name", _are_texts)
_PART = Type("a component with its name and fields", _is_part)
_CLOCK = {
    **dict.fromkeys(("generator_steps", "discriminator_steps", "images"), _WHOLE),
    **dict.fromkeys(("seconds", "flops"), _NUMBER),
}

RECIPE = {
    "objective": _TEXT,
    **dict.fromkeys(("loss", "schedule", "architecture", "protocol"), _PART),
    "penalties": Type("components", lambda value: _is_list(value, _is_part)),
    "dataset": Type("a data set with its name, fields and fingerprint", _is_dataset),
    "metrics": Type("metrics with their extractors", lambda value: _is_list(value, _is_score)),
    "machine": _TEXT_OR_NULL,
    **dict.fromkeys(("key", "cell"), _TEXT),
    **dict.fromkeys(("seed", "harness"), _WHOLE),
}
OUTCOME = {
    **dict.fromkeys(("outcome", "error"), _TEXT),
    **dict.fromkeys(("step", "attempt"), _WHOLE),
    "sha256": DIGESTS,
    **_CLOCK,
}
ENVIRONMENT = {"machine": _TEXT_OR_NULL}
EVENT = {
    "event": _TEXT,
    "columns": Type("columns with their directions", lambda value: _is_list(value, _is_column)),
    **dict.fromkeys(("metrics", "noise"), _NUMBERS),
    **dict.fromkeys(("share", "discriminator_loss", "generator_loss", "value"), _NUMBER),
    **_CLOCK,
}
ATTEMPT = {"event": _TEXT, "attempt": _WHOLE}
THROUGHPUT = {
    "cell": _TEXT,
    "environment": Type("a machine", lambda value: _has_texts(value, "machine")),
    **dict.fromkeys(
        (
            "images_per_second",
            "generator_steps_per_second",
            "discriminator_steps_per_second",
            "flops_per_second",
            "peak_share",
            "peak_memory_bytes",
        ),
        _NUMBER,
    ),
}
