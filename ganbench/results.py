"""The store as pandas frames, and the table. Nothing here needs torch."""

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TypeVar

import pandas as pd

from ganbench import records
from ganbench.errors import StoreError, unknown
from ganbench.printable import printable
from ganbench.rows import (
    CELL_COLUMNS,
    CLOCK,
    LABELS,
    RUN_COLUMNS,
    UNREADABLE,
    Reading,
    Row,
    cell_row,
    event_rows,
    is_called,
    machines_of,
    plain,
    read,
    run_row,
)
from ganbench.store import RunFolder, Store

T = TypeVar("T")

_NAMED = 3  # damaged files that a warning names
_READERS = 8  # threads: while some wait for the disk, another parses


class Results:
    """Some runs of a store, or all of them; read anew each time.

    Of a run whose recipe can't be read there is no row, but a warning.

    Args:
        path: the store's folder.
        keys: the runs to look at; None for all.
    """

    def __init__(self, path: str | Path, keys: Collection[str] | None = None) -> None:
        self.path = Path(path)
        self._store = Store(self.path)
        self._keys = None if keys is None else frozenset(keys)

    @cached_property
    def folders(self) -> list[RunFolder]:
        """The folders of the runs, by their keys."""
        return [f for f in self._store.runs() if self._keys is None or f.key in self._keys]

    def runs(self, metric: str = "") -> pd.DataFrame:
        """A row per planned run: its labels, seed, outcome, what it spent, final and best.

        `outcome` of a run without one is `running`, `interrupted` or `not started`, and
        `unreadable` where a file of its is damaged, which `error` then names; `final` and `best`
        are of the metric, NaN where the run did not complete; `noise` is the standard error of
        `final` over other draws of fakes from the same generator.

        Args:
            metric: its name, such as `kid`, or a column's whole name; empty for the headline.

        Raises:
            BadInput: no run has such a metric, or a run has several columns of that name.
        """
        return pd.DataFrame(self._rows(metric), columns=RUN_COLUMNS)

    def frame(self) -> pd.DataFrame:
        """Tidy: a row per run, step and metric.

        Metrics are those of the evaluations, and of training the mean D loss, G loss and V(D, G)
        (`value`) since the row before. `noise` is the standard error of an evaluation's value
        over other draws of fakes from the same generator.
        """
        rows = [row for rows in self._each(event_rows) for row in rows]
        columns = ["run", *LABELS, "seed", *CLOCK, "metric", "value", "noise"]
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
        cells: dict[str, list[Row]] = {}
        for row in self._rows(metric):
            cells.setdefault(row["cell"], []).append(row)
        speeds = self._speeds(cells)
        rows = [cell_row(runs, speeds.get(cell, {})) for cell, runs in cells.items()]
        order = [*by, *(label for label in LABELS if label not in by)]
        table = pd.DataFrame(rows, columns=[*order, *CELL_COLUMNS])
        _tell_apart(table)
        return table.sort_values(["dataset", *order] if not by else order, ignore_index=True)

    def _rows(self, metric: str) -> list[Row]:
        """Those of `runs`."""

        def row(reading: Reading) -> tuple[Row, list[str]]:
            return run_row(reading, metric), [column["name"] for column in reading.columns]

        rows = self._each(row, skipped=records.PROGRESS)
        known = {name for _, names in rows for name in names}
        if metric and not any(is_called(metric, name) for name in known):
            raise unknown("metric of these runs", metric, map(plain, known))
        return [row for row, _ in rows]

    def _each(self, make: Callable[[Reading], T], skipped: str = "") -> list[T]:
        """What `make` makes of every run whose recipe can be read; a warning for what is damaged.

        Args:
            skipped: how lines of events begin that are left out.
        """
        lost: list[str] = []
        damaged: list[str] = []

        def made(folder: RunFolder) -> list[T]:
            try:
                reading = read(folder, skipped)
            except StoreError as error:
                lost.append(str(error))
                return []
            if reading.outcome["outcome"] == UNREADABLE:
                damaged.append(reading.outcome["error"])
            return [make(reading)]

        with ThreadPoolExecutor(_READERS) as pool:
            found = [each for some in pool.map(made, self.folders) for each in some]
        self._warn("left out", lost)
        self._warn(UNREADABLE, damaged)
        return found

    def _speeds(self, cells: Mapping[str, Sequence[Row]]) -> dict[str, dict[str, float]]:
        """What was measured of each cell on the machine of its runs, where they had but one."""
        speeds, damaged = {}, []
        for cell, runs in cells.items():
            machine, *others = machines_of(runs) or [""]
            path = self._store.throughput_path(cell, machine)
            if others or path.parent != self.path / "throughput":
                continue
            try:
                speeds[cell] = records.throughput(path)
            except StoreError as error:
                damaged.append(str(error))
        self._warn("left out of the speeds", damaged)
        return speeds

    def _warn(self, what: str, errors: Sequence[str]) -> None:
        if not errors:
            return
        more = f"; and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
        named = "; ".join(sorted(errors)[:_NAMED]) + more
        advice = f"Mend the store with `ganbench store repair {quote(str(self.path))}`."
        warnings.warn(printable(f"{what}: {named}. {advice}"), stacklevel=2)


def load(path: str | Path) -> Results:
    """Everything in a store.

    Raises:
        StoreError: `path` is no store.
    """
    return Results(path)


def _tell_apart(table: pd.DataFrame) -> None:
    """Note the recipe of rows that are named alike: their plugins or data are not the same."""
    alike = table.duplicated(list(LABELS), keep=False)
    recipes = "recipe " + table.loc[alike, "cell"].str[:8]
    notes = table.loc[alike, "notes"]
    table.loc[alike, "notes"] = notes.where(notes == "", notes + "; ") + recipes
