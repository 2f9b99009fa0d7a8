"""The hooks. Each returns what a plugin adds to one catalogue, by name.

A value is the class itself or, so that listing imports nothing heavy, "package.module:Class".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ganbench.components import (
        Addition,
        Architecture,
        Dataset,
        Extractor,
        FeatureMetric,
        Loss,
        Metric,
        Schedule,
    )
    from ganbench.protocol import TrainingProtocol

PROJECT = "ganbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ganbench_losses() -> dict[str, str | type[Loss]]:  # type: ignore[empty-body]
    """Return losses: what D and G minimise, as functions of D's logits."""


@hookspec
def ganbench_penalties() -> dict[str, str | type[Addition]]:  # type: ignore[empty-body]
    """Return penalties, and whatever else is added to a loss with `+`."""


@hookspec
def ganbench_architectures() -> dict[str, str | type[Architecture]]:  # type: ignore[empty-body]
    """Return architectures: pairs of a generator and a discriminator."""


@hookspec
def ganbench_schedules() -> dict[str, str | type[Schedule]]:  # type: ignore[empty-body]
    """Return schedules: who moves when."""


@hookspec
def ganbench_datasets() -> dict[str, str | type[Dataset]]:  # type: ignore[empty-body]
    """Return data sets: where real samples come from."""


@hookspec
def ganbench_metrics() -> dict[str, str | type[Metric | FeatureMetric]]:  # type: ignore[empty-body]
    """Return metrics: scores of generated samples."""


@hookspec
def ganbench_extractors() -> dict[str, str | type[Extractor]]:  # type: ignore[empty-body]
    """Return extractors: what sees the features that metrics compare."""


@hookspec
def ganbench_protocols() -> dict[str, str | type[TrainingProtocol]]:  # type: ignore[empty-body]
    """Return protocols: what stays fixed in a study."""


@hookspec
def ganbench_recipes() -> dict[str, str]:  # type: ignore[empty-body]
    """Return recipes: names for objectives of several parts, such as `wasserstein+gp`."""
