"""The store as pandas frames, and the table. Nothing here needs torch."""

import math
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd

from ganbench.errors import BadInput, unknown
from ganbench.statistics import mean_interval
from ganbench.store import Outcome, RunFolder, Store

LABELS = ("loss", "schedule", "dataset", "architecture", "protocol")
_CLOCK = ("generator_steps", "discriminator_steps", "images", "seconds")
_LOSSES = ("discriminator_loss", "generator_loss", "value")
_RATES = (
    "images_per_second",
    "generator_steps_per_second",
    "flops_per_second",
    "peak_share",
    "peak_memory_bytes",
)


class Results:
    """Some runs of a store, or all of them.

    Args:
        path: the store's folder.
        keys: the runs to look at; None for all.
    """

    def __init__(self, path: str | Path, keys: Collection[str] | None = None) -> None:
        self.path = Path(path)
        self._store = Store(self.path)
        self._keys = keys

    @cached_property
    def folders(self) -> list[RunFolder]:
        """The folders of the runs, by their keys."""
        return [f for f in self._store.runs() if self._keys is None or f.key in self._keys]

    def runs(self, metric: str = "") -> pd.DataFrame:
        """A row per planned run: its labels, seed, outcome, what it spent, final and best.

        `outcome` is "not finished" for a run without one; `final` and `best` are of the metric,
        NaN where the run did not complete; `noise` is the standard error of `final` over other
        draws of fakes from the same generator.

        Args:
            metric: its name, such as `kid`, or a column's whole name; empty for the headline.

        Raises:
            BadInput: no run has such a metric, or a run has several columns of that name.
        """
        if metric:
            known = {c["name"] for folder in self.folders for c in _columns(folder.events())}
            if not any(_is_called(metric, name) for name in known):
                raise unknown("metric of these runs", metric, {_plain(name) for name in known})
        rows = [self._run(folder, metric) for folder in self.folders]
        return pd.DataFrame(rows, columns=_RUN_COLUMNS)

    def frame(self) -> pd.DataFrame:
        """Tidy: a row per run, step and metric.

        Metrics are those of the evaluations, and of training the mean D loss, G loss and V(D, G)
        (`value`) since the row before. `noise` is the standard error of an evaluation's value
        over other draws of fakes from the same generator.
        """
        rows = []
        for folder in self.folders:
            labels = {"run": folder.key, **_labels(folder.recipe())}
            for event in folder.events():
                measured = event.get("metrics") or {n: event[n] for n in _LOSSES if n in event}
                clock = {name: event.get(name) for name in _CLOCK}
                for metric, value in measured.items():
                    noise = event.get("noise", {}).get(metric)
                    row = {"metric": metric, "value": value, "noise": noise}
                    rows.append({**labels, **clock, **row})
        columns = ["run", *LABELS, "seed", *_CLOCK, "metric", "value", "noise"]
        return pd.DataFrame(rows, columns=columns).astype({"value": float, "noise": float})

    def table(self, by: Sequence[str] = (), metric: str = "") -> pd.DataFrame:
        """A row per cell: quality over its seeds, speed, memory, and how its runs ended.

        Runs of unequal recipes (versions, protocol, data) are never pooled into one row.

        Args:
            by: labels to sort by and to put first; the rest stay as they are.
            metric: as of `runs`.

        Raises:
            BadInput: there is no such label, or no such metric.
        """
        by = list(dict.fromkeys(by))
        for name in by:
            if name not in LABELS:
                raise unknown("column to sort by", name, LABELS)
        runs = self.runs(metric)
        rows = [self._row(cell, group) for cell, group in runs.groupby("cell", sort=False)]
        order = [*by, *(label for label in LABELS if label not in by)]
        columns = [*order, *_MEASURES]
        table = pd.DataFrame(rows, columns=columns)
        _tell_apart(table)
        return table.sort_values(["dataset", *order] if not by else order, ignore_index=True)

    def _run(self, folder: RunFolder, metric: str) -> dict[str, Any]:
        recipe, outcome, events = folder.recipe(), folder.outcome() or {}, folder.events()
        columns = [c for c in _columns(events) if not metric or _is_called(metric, c["name"])]
        if metric and len(columns) > 1:
            names = "".join(f"\n  {quote(column['name'])}" for column in columns)
            raise BadInput(f"'{metric}' is several columns, so give the whole name of one:{names}")
        shown = columns[0] if columns else {"name": "", "direction": "lower"}
        evaluated = [e for e in events if e["event"] == "evaluated"]
        scores = [_number(e["metrics"].get(shown["name"])) for e in evaluated]
        noise = [_number(e.get("noise", {}).get(shown["name"])) for e in evaluated]
        trained = [score for score in scores[1:] if not math.isnan(score)]
        completed = outcome.get("outcome") == Outcome.COMPLETED
        better = min if shown["direction"] == "lower" else max
        return {
            "run": folder.key,
            "cell": recipe["cell"],
            **_labels(recipe),
            "outcome": outcome.get("outcome", "not finished"),
            "error": outcome.get("error", ""),
            "metric": shown["name"],
            "direction": shown["direction"],
            "untrained": scores[0] if scores else math.nan,
            "final": scores[-1] if completed and scores else math.nan,
            "best": better(trained) if completed and trained else math.nan,
            "noise": noise[-1] if completed and noise else math.nan,
            "alike": bool(completed and evaluated and evaluated[-1].get("alike")),
            **{name: outcome.get(name) for name in _CLOCK},
            "diverged_at": outcome.get("step"),
            "machine": folder.machine(),
        }

    def _row(self, cell: Any, group: pd.DataFrame) -> dict[str, Any]:
        first = group.iloc[0]
        completed = group[group["outcome"] == Outcome.COMPLETED]
        final, best = (mean_interval(list(completed[name])) for name in ("final", "best"))
        named = group[group["metric"] != ""]
        machines = group["machine"].dropna().unique()
        speed = self._throughputs.get((cell, machines[0]), {}) if len(machines) == 1 else {}
        return {
            **{label: first[label] for label in LABELS},
            "finished": len(completed),
            "planned": len(group),
            "metric": named["metric"].iloc[0] if len(named) else "",
            "final": final.value,
            "final_interval": final.half_width,
            "noise": _root_mean_square(completed["noise"]),
            "best": best.value,
            "best_interval": best.half_width,
            **{name: speed.get(name, math.nan) for name in _RATES},
            "seconds": completed["seconds"].astype(float).mean(),
            "notes": _notes(group),
            "cell": cell,
        }

    @cached_property
    def _throughputs(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The speed of each cell on each machine that it was timed on."""
        records = self._store.throughputs()
        return {(r["cell"], r["environment"]["machine"]): r for r in records}


_RUN_COLUMNS = [
    "run", "cell", *LABELS, "seed", "outcome", "error", "metric", "direction", "untrained",
    "final", "best", "noise", "alike", *_CLOCK, "diverged_at",
    "machine",
]  # fmt: skip
_MEASURES = [
    "finished", "planned", "metric", "final", "final_interval", "noise", "best", "best_interval",
    *_RATES, "seconds", "notes", "cell",
]  # fmt: skip


def _columns(events: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The columns of a run's metrics, the headline first; none before it started."""
    started = next((event for event in events if event["event"] == "started"), None)
    columns: list[dict[str, str]] = started["columns"] if started else []
    return columns


def _plain(column: str) -> str:
    """A column's name without the settings in brackets."""
    return column.partition("[")[0]


def _is_called(metric: str, column: str) -> bool:
    return metric in (column, _plain(column))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _root_mean_square(noises: pd.Series) -> float:
    """The noise of a typical one of the values; it has no part in their interval over seeds."""
    return math.sqrt(noises.astype(float).pow(2).mean()) if len(noises) else math.nan


def load(path: str | Path) -> Results:
    """Everything in a store.

    Raises:
        StoreError: `path` is no store.
    """
    return Results(path)


def _labels(recipe: dict[str, Any]) -> dict[str, Any]:
    return {
        "loss": recipe["objective"],
        **{label: recipe[label]["short"] for label in LABELS[1:]},
        "seed": recipe["seed"],
    }


def _tell_apart(table: pd.DataFrame) -> None:
    """Note the recipe of rows that are named alike: their plugins or data are not the same."""
    alike = table.duplicated(list(LABELS), keep=False)
    recipes = "recipe " + table.loc[alike, "cell"].str[:8]
    notes = table.loc[alike, "notes"]
    table.loc[alike, "notes"] = notes.where(notes == "", notes + "; ") + recipes


def _notes(group: pd.DataFrame) -> str:
    """How the runs that did not complete ended, such as `1 diverged (step 812)`."""
    unscored = int((group["outcome"].eq(Outcome.COMPLETED) & group["final"].isna()).sum())
    notes = [f"{unscored} completed without a final score"] if unscored else []
    alike = int(group["alike"].sum())
    if alike:
        notes.append(f"{alike} generated one sample over and over")
    machines = group["machine"].nunique()
    if machines > 1:
        notes.append(f"run on {machines} machines or settings, whose speeds are not pooled")
    for outcome, some in group.groupby("outcome", sort=True):
        if outcome == Outcome.COMPLETED:
            continue
        steps = [str(int(step)) for step in some["diverged_at"].dropna()]
        where = f" (step {', '.join(steps)})" if steps else ""
        notes.append(f"{len(some)} {str(outcome).replace('_', ' ')}{where}")
    return "; ".join(notes)
