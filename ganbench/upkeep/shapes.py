"""What the records of a store have to hold: fields and their types. More may be in them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import StrictFloat, StrictInt, StrictStr, TypeAdapter, ValidationError

from ganbench.store import Outcome as Outcomes

# The type of a record, or what tells it from the record.
Shape = type | Callable[[dict[str, Any]], type]


def misfit(record: dict[str, Any], shape: Shape) -> str:
    """The first field that is missing or of another type; empty if there is none."""
    try:
        _adapter(shape if isinstance(shape, type) else shape(record)).validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"'{place}': {first['msg'][:1].lower()}{first['msg'][1:]}"
    return ""


@cache
def _adapter(shape: type) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


@dataclass
class Schema:
    schema: StrictInt


@dataclass
class Part:
    name: StrictStr
    fields: dict[StrictStr, StrictStr]
    short: StrictStr
    version: StrictInt
    distribution: StrictStr
    source: StrictStr | None


@dataclass
class DataSet(Part):
    fingerprint: StrictStr


@dataclass
class Metric(Part):
    extractor: Part | None
    settings: list[StrictStr]


@dataclass
class Recipe(Schema):
    harness: StrictInt
    loss: Part
    penalties: list[Part]
    objective: StrictStr
    architecture: Part
    schedule: Part
    dataset: DataSet
    metrics: list[Metric]
    protocol: Part
    seed: StrictInt
    machine: StrictStr | None
    key: StrictStr
    cell: StrictStr


@dataclass
class Attempt(Schema):
    event: StrictStr
    attempt: StrictInt


@dataclass
class Outcome(Schema):
    outcome: Outcomes
    attempt: StrictInt = 0
    error: StrictStr = ""
    generator_steps: StrictInt = 0
    discriminator_steps: StrictInt = 0
    images: StrictInt = 0
    seconds: StrictFloat = 0.0
    step: StrictInt = 0
    sha256: dict[StrictStr, StrictStr] | None = None


@dataclass
class Ended(Attempt):
    """An outcome that another attempt did away with."""

    outcome: Outcomes


def attempt_shape(line: dict[str, Any]) -> type:
    return Ended if line.get("event") == "ended" else Attempt


@dataclass
class Environment(Schema):
    machine: StrictStr


@dataclass
class Evaluation(Schema):
    metrics: dict[StrictStr, StrictFloat | None]


@dataclass
class Machine:
    machine: StrictStr


@dataclass
class Throughput(Schema):
    cell: StrictStr
    environment: Machine
    images_per_second: StrictFloat
    generator_steps_per_second: StrictFloat
    flops_per_second: StrictFloat | None = None
    peak_share: StrictFloat | None = None
    peak_memory_bytes: StrictFloat | None = None


@dataclass
class Event:
    event: StrictStr


@dataclass
class Column:
    name: StrictStr
    direction: Literal["lower", "higher"]


@dataclass
class Started(Schema, Event):
    columns: list[Column]


@dataclass
class Clocked(Event):
    generator_steps: StrictInt
    discriminator_steps: StrictInt
    images: StrictInt
    seconds: StrictFloat


@dataclass
class Progress(Clocked):
    share: StrictFloat


@dataclass
class Evaluated(Clocked):
    metrics: dict[StrictStr, StrictFloat | None]
    noise: dict[StrictStr, StrictFloat | None]


_EVENTS: dict[object, type] = {"started": Started, "progress": Progress, "evaluated": Evaluated}


def event_shape(line: dict[str, Any]) -> type:
    """Kinds that are not known yet are let be."""
    kind = line.get("event")
    return _EVENTS.get(kind, Event) if isinstance(kind, str) else Event


@dataclass
class Manifest(Schema):
    sha256: dict[StrictStr, StrictStr]
