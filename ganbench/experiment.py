"""One run's whole recipe, its key, and the grid of them that a study is made of."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from ganbench import scores
from ganbench.catalogue import (
    ARCHITECTURE,
    DATASET,
    LOSS,
    PENALTY,
    PROTOCOL,
    SCHEDULE,
    Catalogue,
    Kind,
    Recipe,
)
from ganbench.choices import Choice, choose, fields_of
from ganbench.errors import BadInput, PluginBroken, unknown
from ganbench.protocol import TrainingProtocol
from ganbench.scores import Score
from ganbench.specs import Spec, parse_entries

# Rises when the harness itself changes what a run computes.
HARNESS = 2
SCHEMA = 1


@dataclass(frozen=True)
class Objective:
    """What is written `loss+penalty+penalty`: the parts as chosen."""

    loss: Choice
    additions: tuple[Choice, ...]

    @property
    def parts(self) -> tuple[Choice, ...]:
        return (self.loss, *self.additions)

    @property
    def short(self) -> str:
        return "+".join(part.short for part in self.parts)


@dataclass(frozen=True)
class Experiment:
    """One cell of a study with one seed.

    Args:
        data_fingerprint: the sha256 of the data set's content.
        scores: the headline first.
        refusal: why it can't be trained, in a grid where other cells of its objective can.
    """

    objective: Objective
    architecture: Choice
    schedule: Choice
    dataset: Choice
    data_fingerprint: str
    scores: tuple[Score, ...]
    protocol: Choice
    seed: int
    machine: str | None = None
    refusal: str = ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every component that takes part."""
        own = (self.architecture, self.schedule, self.dataset)
        scoring = (choice for score in self.scores for choice in score.choices)
        return (*self.objective.parts, *own, *scoring, self.protocol)

    @property
    def settings(self) -> TrainingProtocol:
        """The protocol's fields."""
        settings: TrainingProtocol = self.protocol.create()
        return settings

    def recipe(self) -> dict[str, Any]:
        """The whole of it as JSON, from which `from_recipe` makes it again."""
        return {
            "schema": SCHEMA,
            "harness": HARNESS,
            "loss": self.objective.loss.recipe(),
            "penalties": [addition.recipe() for addition in self.objective.additions],
            "objective": self.objective.short,
            "architecture": self.architecture.recipe(),
            "schedule": self.schedule.recipe(),
            "dataset": {**self.dataset.recipe(), "fingerprint": self.data_fingerprint},
            "metrics": [score.recipe() for score in self.scores],
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
        return {
            "harness": HARNESS,
            "machine": self.machine,
            "loss": self.objective.loss.key_parts(),
            "penalties": [addition.key_parts() for addition in self.objective.additions],
            "architecture": self.architecture.key_parts(),
            "schedule": self.schedule.key_parts(),
            "dataset": {**self.dataset.key_parts(), "fingerprint": self.data_fingerprint},
            "metrics": [score.key_parts() for score in self.scores],
            "protocol": self.protocol.key_parts(),
        }


def canonical_json(value: object) -> str:
    """The one way to write a JSON value down: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(value: object) -> str:
    return sha256(canonical_json(value).encode()).hexdigest()


def choose_objective(catalogue: Catalogue, entry: Sequence[Spec]) -> Objective:
    """Look up a loss, or a recipe, and what is added to it.

    Raises:
        BadInput: they can't be had, or a penalty is there twice.
        PluginBroken: what a recipe stands for can't be had.
    """
    loss, *additions = entry
    recipe = catalogue.recipe(loss.name)
    if recipe:
        loss, *of_recipe = _filled_in(catalogue, recipe, loss)
        additions = [*of_recipe, *additions]
    for place, addition in enumerate(additions):
        if addition.name in [before.name for before in additions[:place]]:
            raise BadInput(f"'{addition.name}' is added twice to '{entry[0].name}'")
    return _chosen(catalogue, [loss, *additions])


def with_additions(catalogue: Catalogue, name: str, additions: Sequence[Spec]) -> Objective:
    """The loss or recipe of that name, and what it does not have yet of the additions."""
    has = {part.component.name for part in choose_objective(catalogue, (Spec(name),)).additions}
    return choose_objective(catalogue, (Spec(name), *(a for a in additions if a.name not in has)))


def _chosen(catalogue: Catalogue, parts: Sequence[Spec]) -> Objective:
    loss, *additions = parts
    return Objective(
        choose(catalogue, LOSS, loss),
        tuple(choose(catalogue, PENALTY, addition) for addition in additions),
    )


def _filled_in(catalogue: Catalogue, recipe: Recipe, given: Spec) -> list[Spec]:
    """The recipe's parts; a field that was given with its name is given to each part that has it.

    Raises:
        PluginBroken: what the recipe says is no objective.
        BadInput: no part has such a field.
    """
    try:
        parts, *others = parse_entries(recipe.spec)
        if others:
            raise BadInput("it has to be one objective")
        chosen = _chosen(catalogue, parts).parts
    except BadInput as error:
        raise PluginBroken(
            f"recipe '{recipe.name}' = {recipe.spec} of plugin {recipe.origin}: {error}"
        ) from error
    known = [fields_of(part.component.cls) for part in chosen]
    for name, _ in given.fields:
        if not any(name in fields for fields in known):
            everything = [name for fields in known for name in fields]
            raise unknown(f"field of recipe '{recipe.name}' = {recipe.spec}", name, everything)
    return [
        Spec(part.name, tuple({**dict(part.fields), **_among(given, fields)}.items()))
        for part, fields in zip(parts, known, strict=True)
    ]


def _among(given: Spec, fields: Container[str]) -> dict[str, str]:
    return {name: value for name, value in given.fields if name in fields}


def from_recipe(
    recipe: Mapping[str, Any], catalogue: Catalogue, *, same_code: bool = True
) -> Experiment:
    """Make the experiment again, with the plugins that are installed now.

    Args:
        same_code: refuse plugins that have changed since, so that it would be another run.

    Raises:
        BadInput: they have, or a part of it can't be had any more.
    """

    def again(kind: Kind, part: Mapping[str, Any]) -> Choice:
        return choose(catalogue, kind, Spec(part["name"], tuple(part["fields"].items())))

    experiment = Experiment(
        objective=Objective(
            again(LOSS, recipe["loss"]),
            tuple(again(PENALTY, penalty) for penalty in recipe["penalties"]),
        ),
        architecture=again(ARCHITECTURE, recipe["architecture"]),
        schedule=again(SCHEDULE, recipe["schedule"]),
        dataset=again(DATASET, recipe["dataset"]),
        data_fingerprint=recipe["dataset"]["fingerprint"],
        scores=tuple(scores.from_recipe(score, catalogue) for score in recipe["metrics"]),
        protocol=again(PROTOCOL, recipe["protocol"]),
        seed=recipe["seed"],
        machine=recipe["machine"],
    )
    if same_code and experiment.key != recipe["key"]:
        raise BadInput(
            f"run {recipe['key'][:12]} was planned with other versions of its plugins than are"
            " installed now"
        )
    return experiment
