"""One run, and one cell of runs, as a row."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from ganbench import records
from ganbench.errors import BadInput, StoreError
from ganbench.statistics import mean_interval
from ganbench.store import Outcome, RunFolder

Row = dict[str, Any]

LABELS = ("loss", "schedule", "dataset", "architecture", "protocol")
CLOCK = ("generator_steps", "discriminator_steps", "images", "seconds")
RATES = (
    "images_per_second",
    "generator_steps_per_second",
    "flops_per_second",
    "peak_share",
    "peak_memory_bytes",
)
RUN_COLUMNS = (
    "run", "cell", *LABELS, "seed", "outcome", "error", "metric", "direction", "untrained",
    "final", "best", "noise", "alike", *CLOCK, "diverged_at", "machine",
)  # fmt: skip
CELL_COLUMNS = (
    "finished", "planned", "metric", "final", "final_interval", "noise", "best", "best_interval",
    *RATES, "seconds", "notes", "cell",
)  # fmt: skip
# In place of an outcome, of a run of which no more can be read than what was planned.
UNREADABLE = "unreadable"
_LOSSES = ("discriminator_loss", "generator_loss", "value")


@dataclass(frozen=True)
class Reading:
    """What a run's folder held when each of its files was read, once.

    Args:
        outcome: with the folder's status as the `outcome` of a run that has none.
        machine: the digest of the last attempt's.
    """

    key: str
    recipe: Mapping[str, Any]
    outcome: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]] = ()
    machine: str | None = None

    @property
    def labels(self) -> Row:
        """The run's name in a study: its LABELS and its seed."""
        others = {label: self.recipe[label]["short"] for label in LABELS[1:]}
        return {"loss": self.recipe["objective"], **others, "seed": self.recipe["seed"]}

    @property
    def columns(self) -> list[dict[str, str]]:
        """Those of the run's metrics, the headline first; none before it started."""
        found = (event["columns"] for event in self.events if "columns" in event)
        return next(found, [])


def read(folder: RunFolder, skipped: str = "") -> Reading:
    """Read a run; what is damaged beside its recipe makes it one with the outcome UNREADABLE.

    Args:
        skipped: how lines of its events begin that are left out.

    Raises:
        StoreError: its recipe can't be read.
    """
    recipe = records.recipe(folder.path, "objective", *LABELS[1:], "seed", "cell")
    try:
        outcome = records.outcome(folder.path) or {"outcome": folder.status}
        machine = records.environment(folder.path).get("machine")
        events = records.events(folder.path, "event", skipped=skipped)
    except StoreError as error:
        outcome = {"outcome": UNREADABLE, "error": str(error)}
        return Reading(folder.key, recipe, outcome)
    return Reading(folder.key, recipe, outcome, events, machine)


def run_row(reading: Reading, metric: str = "") -> Row:
    """A run's RUN_COLUMNS; `metric`, and BadInput, as of `Results.runs`."""
    outcome = reading.outcome
    columns = [c for c in reading.columns if not metric or is_called(metric, c["name"])]
    if metric and len(columns) > 1:
        names = "".join(f"\n  {quote(column['name'])}" for column in columns)
        raise BadInput(f"'{metric}' is several columns, so give the whole name of one:{names}")
    shown = columns[0] if columns else {"name": "", "direction": "lower"}
    evaluated = [event for event in reading.events if event["event"] == "evaluated"]
    scores, noise = (
        [_number(event.get(part, {}).get(shown["name"])) for event in evaluated]
        for part in ("metrics", "noise")
    )
    trained = [score for score in scores[1:] if not math.isnan(score)]
    completed = outcome["outcome"] == Outcome.COMPLETED
    better = min if shown["direction"] == "lower" else max
    return {
        "run": reading.key,
        "cell": reading.recipe["cell"],
        **reading.labels,
        "outcome": outcome["outcome"],
        "error": outcome.get("error", ""),
        "metric": shown["name"],
        "direction": shown["direction"],
        "untrained": scores[0] if scores else math.nan,
        "final": scores[-1] if completed and scores else math.nan,
        "best": better(trained) if completed and trained else math.nan,
        "noise": noise[-1] if completed and noise else math.nan,
        "alike": bool(completed and evaluated and evaluated[-1].get("alike")),
        **{name: outcome.get(name) for name in CLOCK},
        "diverged_at": outcome.get("step"),
        "machine": reading.machine,
    }


def event_rows(reading: Reading) -> list[Row]:
    """A row for each number that a run's events tell, as of `Results.frame`."""
    rows = []
    labels = {"run": reading.key, **reading.labels}
    for event in reading.events:
        measured = event.get("metrics") or {n: event[n] for n in _LOSSES if n in event}
        clock = {name: event.get(name) for name in CLOCK}
        for metric, value in measured.items():
            noise = event.get("noise", {}).get(metric)
            rows.append({**labels, **clock, "metric": metric, "value": value, "noise": noise})
    return rows


def cell_row(runs: Sequence[Row], speed: Mapping[str, Any]) -> Row:
    """A cell's LABELS and CELL_COLUMNS, of the rows of its runs and what was measured of it."""
    completed = [run for run in runs if run["outcome"] == Outcome.COMPLETED]
    final, best = (mean_interval([run[name] for run in completed]) for name in ("final", "best"))
    return {
        **{label: runs[0][label] for label in LABELS},
        "finished": len(completed),
        "planned": len(runs),
        "metric": next((run["metric"] for run in runs if run["metric"]), ""),
        "final": final.value,
        "final_interval": final.half_width,
        "noise": math.sqrt(_mean(run["noise"] ** 2 for run in completed)),
        "best": best.value,
        "best_interval": best.half_width,
        **{name: speed.get(name, math.nan) for name in RATES},
        "seconds": _mean(_number(run["seconds"]) for run in completed),
        "notes": _notes(runs),
        "cell": runs[0]["cell"],
    }


def machines_of(runs: Iterable[Row]) -> set[str]:
    """The machines that runs were done on, as far as is known."""
    return {run["machine"] for run in runs} - {None}


def plain(column: str) -> str:
    """A column's name without the settings in brackets."""
    return column.partition("[")[0]


def is_called(metric: str, column: str) -> bool:
    return metric in (column, plain(column))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _mean(values: Iterable[float]) -> float:
    """The mean of those that are numbers; NaN if none is."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _notes(runs: Sequence[Row]) -> str:
    """How the runs that did not complete ended, such as `1 diverged (step 812)`."""
    completed = [run for run in runs if run["outcome"] == Outcome.COMPLETED]
    notes = []
    if unscored := sum(math.isnan(run["final"]) for run in completed):
        notes.append(f"{unscored} completed without a final score")
    if alike := sum(run["alike"] for run in runs):
        notes.append(f"{alike} generated one sample over and over")
    if (machines := len(machines_of(runs))) > 1:
        notes.append(f"run on {machines} machines or settings, whose speeds are not pooled")
    ended = Counter(run["outcome"] for run in runs)
    for outcome in sorted(ended.keys() - {str(Outcome.COMPLETED)}):
        places = [run["diverged_at"] for run in runs if run["outcome"] == outcome]
        steps = ", ".join(str(step) for step in places if step is not None)
        where = f" (step {steps})" if steps else ""
        notes.append(f"{ended[outcome]} {outcome.replace('_', ' ')}{where}")
    return "; ".join(notes)
