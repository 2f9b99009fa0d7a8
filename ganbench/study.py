"""A study: planned runs, done by an executor, to outcomes in a store."""

import math
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from filelock import Timeout

from ganbench.executors.job import Job
from ganbench.executors.local import run_jobs
from ganbench.experiment import Experiment
from ganbench.planning import machine_of
from ganbench.request import Setup
from ganbench.store import Outcome, RunFolder, Store, read_json


class Observer:
    """Who watches a study; this one says nothing, and what overrides it says what it likes."""

    def planned(self, experiments: Sequence[Experiment], reused: int, setup: Setup) -> None: ...
    def timing(self, experiment: Experiment, number: int, total: int) -> None: ...
    def untimed(self, experiment: Experiment, error: str) -> None: ...
    def estimated(self, training_seconds: float) -> None: ...
    def started(self, experiment: Experiment) -> None: ...
    def progressed(self, experiment: Experiment, event: dict[str, Any]) -> None: ...
    def ended(self, experiment: Experiment, outcome: dict[str, Any]) -> None: ...


class Study:
    """Planned runs, and the store that their outcomes go to."""

    def __init__(self, experiments: Sequence[Experiment], setup: Setup) -> None:
        self.experiments = experiments
        self._setup = setup
        self._store = Store(setup.store, create=True)
        self._by_key = {experiment.key: experiment for experiment in experiments}
        self._read: dict[str, int] = {}

    @property
    def keys(self) -> list[str]:
        return list(self._by_key)

    def execute(self, observer: Observer) -> None:
        """Do every run that has no result yet.

        A run that fails is an outcome of its own and never stops the others. KeyboardInterrupt
        ends the workers; what is finished stays.
        """
        folders = {key: self._store.run(key) for key in self.keys}
        for key, experiment in self._by_key.items():
            folders[key].plan(experiment.recipe())
        fitting = [e for e in self.experiments if not e.refusal]
        open_runs = [e for e in fitting if not folders[e.key].has_result]
        observer.planned(self.experiments, len(fitting) - len(open_runs), self._setup)
        self._skip([e for e in self.experiments if e.refusal], observer)
        if open_runs:
            self._time_cells(observer)
            observer.estimated(self._training_seconds(open_runs))
            self._run_all(open_runs, observer)

    def _skip(self, refused: Sequence[Experiment], observer: Observer) -> None:
        """A cell whose parts do not fit is a row too."""
        for experiment in refused:
            folder = self._store.run(experiment.key)
            self._forget_failure(folder)
            folder.finish(Outcome.SKIPPED, error=experiment.refusal)
            observer.ended(experiment, folder.outcome() or {})

    def _time_cells(self, observer: Observer) -> None:
        """Time each cell that this machine has not timed yet, one after another, alone."""
        cells = {e.cell_key: e for e in reversed(self.experiments) if not e.refusal}
        open_cells = [
            cell
            for key, cell in reversed(cells.items())
            if not self._store.throughput_path(key, self._machine).exists()
        ]
        for number, cell in enumerate(open_cells, 1):
            observer.timing(cell, number, len(open_cells))
            for job, exit_code in run_jobs([self._job("time", cell)], 1, lambda _: None):
                if exit_code:
                    observer.untimed(cell, _crash(exit_code, self._store.run(job.key))["error"])

    @cached_property
    def _machine(self) -> str:
        return machine_of(self._setup)

    def _training_seconds(self, experiments: Sequence[Experiment]) -> float:
        """What training will take as the cells were timed; NaN where one could not be."""
        total = 0.0
        for experiment in experiments:
            path = self._store.throughput_path(experiment.cell_key, self._machine)
            if not path.exists():
                return math.nan
            total += experiment.settings.clock.seconds_at(read_json(path))
        return total / min(self._setup.at_once, len(experiments))

    def _run_all(self, experiments: Sequence[Experiment], observer: Observer) -> None:
        jobs = [self._job("run", experiment) for experiment in experiments]
        for job in jobs:
            self._forget_failure(self._store.run(job.key))
        known: set[str] = set()

        def tick(under_way: list[Job]) -> None:
            for job in under_way:
                if job.key not in known:
                    known.add(job.key)
                    observer.started(self._by_key[job.key])
                self._pass_on_events(job.key, observer)

        for job, exit_code in run_jobs(jobs, self._setup.at_once, tick):
            folder = self._store.run(job.key)
            if folder.outcome() is None:
                folder.finish(Outcome.CRASHED, **_crash(exit_code, folder))
            self._pass_on_events(job.key, observer)
            observer.ended(self._by_key[job.key], folder.outcome() or {})

    def _forget_failure(self, folder: RunFolder) -> None:
        """Nothing of an earlier attempt is taken for the coming one's; another's is left alone."""
        with suppress(Timeout), folder.lock.acquire(timeout=0):
            if not folder.has_result:
                folder.begin_attempt()

    def _pass_on_events(self, key: str, observer: Observer) -> None:
        events = self._store.run(key).events()
        for event in events[self._read.get(key, 0) :]:
            observer.progressed(self._by_key[key], event)
        self._read[key] = len(events)

    def _job(self, task: str, experiment: Experiment) -> Job:
        setup = self._setup
        return Job(
            task=task,
            key=experiment.key,
            store=str(setup.store.resolve()),
            data_folder=str(setup.data_folder.resolve()),
            device=setup.device,
            threads=setup.threads,
            plugins=setup.plugins,
            parent=os.getpid(),
        )


def _crash(exit_code: int, folder: RunFolder) -> dict[str, Any]:
    """What is known of a worker that ended without a word of its own."""
    lines = (folder.path / "log.txt").read_text(errors="replace").strip().splitlines()
    last = lines[-1] if lines else ""
    if exit_code < 0:
        try:
            ended = f"ended by {signal.Signals(-exit_code).name}"
        except ValueError:
            ended = f"ended by signal {-exit_code}"
        return {"error": ended, "signal": -exit_code, "last_line": last}
    return {"error": last or f"exit code {exit_code}", "exit_code": exit_code}
