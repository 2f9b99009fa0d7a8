"""What each record of a store has to hold, whoever reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ganbench import records
from ganbench.store import Outcome


@dataclass(frozen=True)
class Shape:
    """The types of a record's fields, and those that have to be there."""

    types: Mapping[str, records.Type]
    needed: tuple[str, ...]

    def misfit(self, record: Mapping[str, Any]) -> str:
        """What is wrong with a record; empty if nothing is."""
        return records.misfit(record, self.types, self.needed)


# What a line has to hold depends on what it tells.
Shaping = Callable[[Mapping[str, Any]], Shape]

_CLOCK = ("generator_steps", "discriminator_steps", "images", "seconds")
_OUTCOMES = {
    "outcome": records.Type("one of the outcomes", lambda value: value in [*map(str, Outcome)])
}

ANY = Shape({}, ("schema",))
RECIPE = Shape(records.RECIPE, (*records.WHOLE, "schema", "harness", "objective", "cell"))
ENVIRONMENT = Shape(records.ENVIRONMENT, ("schema", "machine"))
OUTCOME = Shape({**records.OUTCOME, **_OUTCOMES}, ("schema", "outcome"))
EVALUATION = Shape(records.EVENT, ("schema", "metrics"))
THROUGHPUT = Shape(records.THROUGHPUT, ("schema", "cell", "environment", "images_per_second"))
MANIFEST = Shape({"sha256": records.DIGESTS}, ("schema", "sha256"))

_ATTEMPT = Shape(records.ATTEMPT, ("schema", "event", "attempt"))
_ENDED = Shape({**records.ATTEMPT, **_OUTCOMES}, (*_ATTEMPT.needed, "outcome"))
_EVENT = Shape(records.EVENT, ("event",))
_EVENTS = {
    "started": Shape(records.EVENT, ("event", "schema", "columns")),
    "progress": Shape(records.EVENT, ("event", *_CLOCK, "share")),
    "evaluated": Shape(records.EVENT, ("event", *_CLOCK, "metrics", "noise")),
}


def attempt(line: Mapping[str, Any]) -> Shape:
    """That of a line of `attempts.jsonl`."""
    return _ENDED if line.get("event") == "ended" else _ATTEMPT


def event(line: Mapping[str, Any]) -> Shape:
    """That of a line of `events.jsonl`; kinds of events may be added."""
    return _EVENTS.get(str(line.get("event")), _EVENT)
