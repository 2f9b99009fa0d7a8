"""By what a study scores: metrics, each with the extractor whose features it compares."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, NamedTuple, get_args

import torch

from ganbench.catalogue import EXTRACTOR, METRIC, Catalogue, code_of
from ganbench.choices import Choice, choose
from ganbench.components import Direction, Extractor, FeatureMetric, Metric
from ganbench.data import Data
from ganbench.errors import BadInput, GanbenchError, PluginBroken, Unsupported
from ganbench.randomness import random_state_kept
from ganbench.specs import Spec, parse_one


@dataclass(frozen=True)
class Score:
    """A metric as chosen.

    Args:
        extractor: what sees the features that it compares; None for a metric on samples.
        settings: what its numbers depend on besides its fields, as its parts say once they have
            seen the data (such as the digest of an extractor's weights).
    """

    metric: Choice
    extractor: Choice | None = None
    settings: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (self.metric, self.extractor) if self.extractor else (self.metric,)

    @property
    def label(self) -> str:
        """What a message calls it."""
        seen_by = f" on '{self.extractor.short}'" if self.extractor else ""
        return f"metric '{self.metric.short}'{seen_by}"

    def recipe(self) -> dict[str, Any]:
        """The whole of it as JSON, from which `from_recipe` makes it again."""
        extractor = self.extractor.recipe() if self.extractor else None
        return {**self.metric.recipe(), "extractor": extractor, "settings": list(self.settings)}

    def key_parts(self) -> dict[str, Any]:
        """The part of the recipe that makes two runs the same run, or not."""
        extractor = self.extractor.key_parts() if self.extractor else None
        return {**self.metric.key_parts(), "extractor": extractor, "settings": list(self.settings)}


def from_recipe(recipe: Mapping[str, Any], catalogue: Catalogue) -> Score:
    """Make a score again, with the plugins that are installed now."""

    def spec(part: Mapping[str, Any]) -> Spec:
        return Spec(part["name"], tuple(part["fields"].items()))

    extractor = recipe["extractor"]
    return Score(
        choose(catalogue, METRIC, spec(recipe)),
        choose(catalogue, EXTRACTOR, spec(extractor)) if extractor else None,
        tuple(recipe["settings"]),
    )


def compares_features(metric: Choice) -> bool:
    return hasattr(metric.component.cls, "compare")


def pair(
    catalogue: Catalogue,
    metrics: Sequence[Choice],
    extractors: Sequence[Choice],
    suiting: Sequence[str],
) -> tuple[Score, ...]:
    """Every metric with every extractor; the headline first.

    Args:
        extractors: those that were asked for.
        suiting: the specs of what takes their place where there are none; may be empty.

    Raises:
        BadInput: a metric has no extractor, or an extractor has no metric.
    """
    scores = []
    for metric in metrics:
        if not compares_features(metric):
            scores.append(Score(metric))
            continue
        only = getattr(metric.component.cls, "extractor", "")
        fitting = [e for e in extractors if not only or e.component.name == only]
        if not fitting:
            specs = [spec for spec in map(parse_one, suiting) if not only or spec.name == only]
            specs = specs or ([Spec(only)] if only else [])
            fitting = [choose(catalogue, EXTRACTOR, spec) for spec in specs]
        if not fitting:
            raise BadInput(
                f"metric '{metric.short}' compares features, and the data set names nothing that"
                " sees them: give --extractors; see them with `ganbench list extractors`"
            )
        scores += [Score(metric, extractor) for extractor in fitting]
    used = {score.extractor.text for score in scores if score.extractor}
    for extractor in extractors:
        if extractor.text not in used:
            names = ", ".join(metric.short for metric in metrics)
            raise BadInput(f"extractor '{extractor.short}' is of no use to the metrics {names}")
    return tuple(scores)


class Column(NamedTuple):
    """One value of a metric, with all that it depends on in its name.

    Args:
        name: such as `fd[n=2000,all:1797,digits-cnn,uint8]`.
        direction: which values are better.
    """

    name: str
    direction: Direction


@dataclass(frozen=True)
class Scale:
    """A score that has been shown the data: made, and ready to be used.

    Args:
        extractor: the same object in all scales of one extractor.
    """

    score: Score
    metric: Metric | FeatureMetric
    extractor: Extractor | None

    def columns(self, samples: int, data: Data, drawn: Sequence[str] = ()) -> dict[str, Column]:
        """The columns of its values, by the metric's names for them, the headline first.

        Args:
            samples: generated ones.
            drawn: how, where it was not from G's own weights.
        """
        compared = (f"n={samples}", *drawn, f"{data.split}:{len(data)}")
        setting = ",".join((*compared, *self.score.settings))
        return {
            key: Column(f"{key}[{setting}]", direction)
            for key, direction in self.metric.directions.items()
        }


class Needed(Enum):
    """Which scores have to be had; what else can't score this data is left out with a warning."""

    ALL = auto()
    EACH_METRIC = auto()  # on one of its extractors
    HEADLINE = auto()


def prepared(
    scores: Sequence[Score],
    data: Data,
    samples: int,
    *,
    needed: Needed = Needed.ALL,
    with_players: bool = True,
) -> list[Scale]:
    """Make metrics and extractors and show them the data; their `settings` are then known.

    Args:
        samples: generated ones, in one evaluation.
        with_players: samples come from a game, whose D can be judged too.

    Raises:
        Unsupported: one that is needed can't score this data.
        NotPrepared: one lacks its weights.
        BadInput: there are too few samples for one that is needed.
    """
    extractors: dict[str, Extractor] = {}
    scales: list[Scale] = []
    refused: list[tuple[Score, GanbenchError]] = []
    for score in scores:
        try:
            if not with_players and hasattr(score.metric.component.cls, "judge"):
                raise Unsupported(f"metric '{score.metric.short}' judges D, while a run trains it")
            scales.append(_prepared(score, data, samples, extractors))
        except (BadInput, Unsupported) as error:
            if needed is Needed.ALL or (needed is Needed.HEADLINE and not scales):
                raise
            refused.append((score, error))
    had = {scale.score.metric.text for scale in scales}
    for score, refusal in refused:
        if needed is Needed.EACH_METRIC and score.metric.text not in had:
            raise refusal
        reason = " ".join(str(refusal).split())
        warnings.warn(f"{score.label} is left out: {reason}", stacklevel=2)
    _check_names(scales, data, samples)
    return scales


def _prepared(score: Score, data: Data, samples: int, extractors: dict[str, Extractor]) -> Scale:
    extractor = None
    if score.extractor:
        if score.extractor.text not in extractors:
            extractors[score.extractor.text] = checked_extractor(score.extractor, data)
        extractor = extractors[score.extractor.text]
    with code_of(score.metric.component):
        metric = score.metric.create()
        _check_directions(score.metric, metric)
        if extractor is None:
            metric.check(data)
        else:
            _check_features(score, metric, extractor, min(samples, len(data)))
        settings = (*(extractor.settings if extractor else ()), *metric.settings)
    return Scale(replace(score, settings=tuple(settings)), metric, extractor)


def checked_extractor(choice: Choice, data: Data) -> Extractor:
    """Make an extractor and show it the data; its `settings` are then known."""
    with code_of(choice.component), random_state_kept(torch.device("cpu")):
        torch.manual_seed(0)  # what it draws is the same in every run
        extractor: Extractor = choice.create()
        extractor.check(data)
        _ = extractor.settings
    return extractor


def _check_directions(choice: Choice, metric: Metric | FeatureMetric) -> None:
    directions: Any = getattr(metric, "directions", None)
    known = get_args(Direction)
    sound = isinstance(directions, Mapping) and all(
        isinstance(name, str) and direction in known for name, direction in directions.items()
    )
    if not sound or not directions:
        raise PluginBroken(
            f"metric '{choice.short}' of plugin {choice.component.origin}: `directions` has to map"
            f" the name of each value to {' or '.join(map(repr, known))}; it is {directions!r}"
        )


def _check_features(
    score: Score, metric: FeatureMetric, extractor: Extractor, samples: int
) -> None:
    if samples < metric.least_samples:
        raise BadInput(
            f"metric '{score.metric.short}' needs at least {metric.least_samples} real and as many"
            f" generated samples; on one side there are {samples}"
        )
    classes = {"logits", "class_counts"} & metric.needs
    if classes and not getattr(type(extractor), "names_classes", False):
        raise Unsupported(
            f"metric '{score.metric.short}' needs an extractor that names classes, and"
            f" '{score.extractor and score.extractor.short}' names none"
        )
    check = getattr(metric, "check", None)
    if check is not None:
        check(extractor)


def _check_names(scales: Sequence[Scale], data: Data, samples: int) -> None:
    """Two values of one name would become one."""
    owners: dict[str, Score] = {}
    for scale in scales:
        for column in scale.columns(samples, data).values():
            other = owners.setdefault(column.name, scale.score)
            if other is scale.score:
                continue
            if other.key_parts() == scale.score.key_parts():
                raise BadInput(f"metric '{other.metric.short}' is asked for twice")
            raise PluginBroken(
                f"metrics '{other.metric.short}' and '{scale.score.metric.short}' both make"
                f" {column.name}: their settings don't say how they differ"
            )
