"""The hooks. Each returns what a plugin adds to one catalogue, by name.

A value is the class itself or, so that listing imports nothing heavy, "package.module:Class".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ganbench.components import Architecture, Dataset, Loss, Metric, Penalty, Schedule

PROJECT = "ganbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ganbench_losses() -> dict[str, str | type[Loss]]:  # type: ignore[empty-body]
    """Return losses: what D and G minimise, as functions of D's logits."""


@hookspec
def ganbench_penalties() -> dict[str, str | type[Penalty]]:  # type: ignore[empty-body]
    """Return penalties: terms that need D itself, added to a loss with `+`."""


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
def ganbench_metrics() -> dict[str, str | type[Metric]]:  # type: ignore[empty-body]
    """Return metrics: scores of generated samples."""
