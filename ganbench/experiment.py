"""One run's whole recipe, its key, and the grid of them that a study is made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from ganbench.choices import Choice, choose
from ganbench.errors import BadInput
from ganbench.plugins import ARCHITECTURE, DATASET, LOSS, METRIC, PENALTY, SCHEDULE, Catalogue, Kind
from ganbench.protocol import Protocol, choose_protocol
from ganbench.specs import Spec

# Rises when the harness itself changes what a run computes.
HARNESS = 1
SCHEMA = 1


@dataclass(frozen=True)
class Objective:
    """What is written `loss+penalty+penalty`: the parts as chosen."""

    loss: Choice
    penalties: tuple[Choice, ...]

    @property
    def parts(self) -> tuple[Choice, ...]:
        return (self.loss, *self.penalties)

    @property
    def short(self) -> str:
        return "+".join(part.short for part in self.parts)


@dataclass(frozen=True)
class Experiment:
    """One cell of a study with one seed.

    Args:
        data_fingerprint: the sha256 of the data set's content.
        metrics: the headline first.
        metric_settings: what each metric's numbers depend on besides its fields, as it says once
            it has seen the data (such as the digest of its weights).
    """

    objective: Objective
    architecture: Choice
    schedule: Choice
    dataset: Choice
    data_fingerprint: str
    metrics: tuple[Choice, ...]
    metric_settings: tuple[tuple[str, ...], ...]
    protocol: Protocol
    seed: int
    machine: str | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every component that takes part."""
        own = (self.architecture, self.schedule, self.dataset)
        return (*self.objective.parts, *own, *self.metrics)

    def recipe(self) -> dict[str, Any]:
        """The whole of it as JSON, from which `from_recipe` makes it again."""
        return {
            "schema": SCHEMA,
            "harness": HARNESS,
            "loss": self.objective.loss.recipe(),
            "penalties": [penalty.recipe() for penalty in self.objective.penalties],
            "objective": self.objective.short,
            "architecture": self.architecture.recipe(),
            "schedule": self.schedule.recipe(),
            "dataset": {**self.dataset.recipe(), "fingerprint": self.data_fingerprint},
            "metrics": [
                {**metric.recipe(), "settings": list(settings)}
                for metric, settings in zip(self.metrics, self.metric_settings, strict=True)
            ],
            "protocol": self.protocol.recipe(),
            "seed": self.seed,
            "machine": self.machine,
            "key": self.key,
            "cell": self.cell_key,
        }

    def with_seed(self, seed: int) -> "Experiment":
        return replace(self, seed=seed)

    @property
    def key(self) -> str:
        """The sha256 of all that decides the run's numbers: its name in the store."""
        return _digest({**self._cell_parts(), "seed": self.seed})

    @property
    def cell_key(self) -> str:
        """The same for all seeds of a cell."""
        return _digest(self._cell_parts())

    def _cell_parts(self) -> dict[str, Any]:
        protocol = self.protocol.recipe()
        return {
            "harness": HARNESS,
            "machine": self.machine,
            "loss": self.objective.loss.key_parts(),
            "penalties": [penalty.key_parts() for penalty in self.objective.penalties],
            "architecture": self.architecture.key_parts(),
            "schedule": self.schedule.key_parts(),
            "dataset": {**self.dataset.key_parts(), "fingerprint": self.data_fingerprint},
            "metrics": [
                {**metric.key_parts(), "settings": list(settings)}
                for metric, settings in zip(self.metrics, self.metric_settings, strict=True)
            ],
            "protocol": {name: protocol[name] for name in ("name", "version", "fields")},
        }


def canonical_json(value: object) -> str:
    """The one way to write a JSON value down: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(value: object) -> str:
    return sha256(canonical_json(value).encode()).hexdigest()


def choose_objective(catalogue: Catalogue, entry: Sequence[Spec]) -> Objective:
    """Look up a loss and the penalties behind it; BadInput where they can't be had."""
    loss, *penalties = entry
    return Objective(
        choose(catalogue, LOSS, loss),
        tuple(choose(catalogue, PENALTY, penalty) for penalty in penalties),
    )


def from_recipe(recipe: Mapping[str, Any], catalogue: Catalogue) -> Experiment:
    """Make the experiment again, with the plugins that are installed now.

    Raises:
        BadInput: a plugin has changed since, so that it would be another run.
    """

    def again(kind: Kind, part: Mapping[str, Any]) -> Choice:
        return choose(catalogue, kind, Spec(part["name"], tuple(part["fields"].items())))

    protocol = recipe["protocol"]
    experiment = Experiment(
        objective=Objective(
            again(LOSS, recipe["loss"]),
            tuple(again(PENALTY, penalty) for penalty in recipe["penalties"]),
        ),
        architecture=again(ARCHITECTURE, recipe["architecture"]),
        schedule=again(SCHEDULE, recipe["schedule"]),
        dataset=again(DATASET, recipe["dataset"]),
        data_fingerprint=recipe["dataset"]["fingerprint"],
        metrics=tuple(again(METRIC, metric) for metric in recipe["metrics"]),
        metric_settings=tuple(tuple(metric["settings"]) for metric in recipe["metrics"]),
        protocol=choose_protocol(Spec(protocol["name"], tuple(protocol["fields"].items()))),
        seed=recipe["seed"],
        machine=recipe["machine"],
    )
    if experiment.key != recipe["key"]:
        raise BadInput(
            f"run {recipe['key'][:12]} was planned with other versions of its plugins than are"
            " installed now"
        )
    return experiment
