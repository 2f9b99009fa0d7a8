"""A study: planned runs, done by an executor, to outcomes in a store."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from ganbench.executors.executor import Executor, executor_for
from ganbench.executors.job import Job
from ganbench.experiment import Experiment
from ganbench.files import read_json
from ganbench.planning import machine_of
from ganbench.request import Setup
from ganbench.settling import Settling, told_of
from ganbench.store import FAILURES, Outcome, RunFolder, Store
from ganbench.waiting import Waiting

_POLL_SECONDS = 0.1
_LOOK_SECONDS = 1.0  # between two looks at what other processes have done of the study


class Observer:
    """Who watches a study; this one says nothing, and what overrides it says what it likes."""

    def planned(
        self, experiments: Sequence[Experiment], reused: int, setup: Setup, at_once: int
    ) -> None: ...
    def left(self, experiment: Experiment, outcome: dict[str, Any]) -> None: ...
    def timing(self, experiment: Experiment, number: int, total: int) -> None: ...
    def untimed(self, experiment: Experiment, error: str) -> None: ...
    def estimated(self, training_seconds: float) -> None: ...
    def started(self, experiment: Experiment) -> None: ...
    def progressed(self, experiment: Experiment, event: dict[str, Any]) -> None: ...
    def again(self, experiment: Experiment, why: str) -> None: ...
    def ended(self, experiment: Experiment, outcome: dict[str, Any]) -> None: ...
    def stopped(self, experiment: Experiment) -> None: ...


class Study:
    """Planned runs, and the store that their outcomes go to."""

    def __init__(self, experiments: Sequence[Experiment], setup: Setup) -> None:
        self.experiments = experiments
        self._setup = setup
        self._store = Store(setup.store, create=True)
        self._by_key = {experiment.key: experiment for experiment in experiments}
        self._read: Counter[str] = Counter()

    @property
    def keys(self) -> list[str]:
        return list(self._by_key)

    def execute(self, observer: Observer) -> None:
        """Do every run that has no result yet.

        A run that fails is an outcome of its own and never stops the others, unless the setup
        says so. KeyboardInterrupt ends the workers; what is finished stays.

        Raises:
            BadInput: the executor can't be had.
            StoreError: the store can't be written; what is in it stays.
        """
        for key, experiment in self._by_key.items():
            self._store.run(key).plan(experiment.recipe())
        fitting = [e for e in self.experiments if not e.refusal]
        jobs = [job for job in map(self._open_job, fitting) if job is not None]
        with self._executing(bool(jobs)) as executor:
            at_once = self._setup.at_once if executor is None else executor.slots
            left = self._left(fitting, jobs)
            reused = len(fitting) - len(jobs) - len(left)
            observer.planned(self.experiments, reused, self._setup, at_once)
            for experiment, outcome in left:
                observer.left(experiment, outcome)
            self._skip([e for e in self.experiments if e.refusal], observer)
            if executor is not None:
                self._time_cells({job.key for job in jobs}, executor, observer)
                if executor.is_here:
                    observer.estimated(self._training_seconds(jobs, at_once))
                self._run_all(jobs, executor, observer)

    @contextmanager
    def _executing(self, needed: bool) -> Iterator[Executor | None]:
        if not needed:
            yield None
            return
        executor = executor_for(self._setup.executor, self._setup.resources)
        try:
            yield executor
        finally:
            executor.stop()

    def _open_job(self, experiment: Experiment) -> Job | None:
        """The job of a run that is to be done; None for one that stays as it is."""
        folder = self._store.run(experiment.key)
        outcome = folder.outcome()
        kept = folder.has_result or (folder.failed_twice and self._setup.existing == "reuse")
        fresh = self._setup.existing == "rerun"
        if outcome is not None and kept and not fresh:
            folder.tidy()
            return None
        superseded = 0 if outcome is None else outcome.get("attempt", 0)
        return replace(self._job("run", experiment), supersedes=superseded, fresh=fresh)

    def _left(
        self, fitting: Sequence[Experiment], jobs: Sequence[Job]
    ) -> list[tuple[Experiment, dict[str, Any]]]:
        """Runs that failed and are not tried again, with their outcomes."""
        to_do = {job.key for job in jobs}
        kept = [(e, self._store.run(e.key).outcome()) for e in fitting if e.key not in to_do]
        return [(e, o) for e, o in kept if o is not None and o["outcome"] in FAILURES]

    def _skip(self, refused: Sequence[Experiment], observer: Observer) -> None:
        """A cell whose parts do not fit is a row too."""
        for experiment in refused:
            folder = self._store.run(experiment.key)
            if not folder.has_result:
                Settling(folder).skip_to(Outcome.SKIPPED, error=experiment.refusal)
            observer.ended(experiment, _state(folder))

    def _time_cells(self, to_do: Set[str], executor: Executor, observer: Observer) -> None:
        """Time each cell that has not been timed where it is run, one after another, alone.

        One whose runs have all failed, and are left, is not tried either.
        """
        machine = self._machine if executor.is_here else "*"
        lively = [e for e in self.experiments if self._is_lively(e, to_do)]
        cells = {e.cell_key: e for e in reversed(lively)}
        open_cells = [
            cell for key, cell in reversed(cells.items()) if not self._store.is_timed(key, machine)
        ]
        for number, cell in enumerate(open_cells, 1):
            observer.timing(cell, number, len(open_cells))
            job = replace(self._job("time", cell), alone=True)
            executor.start(job)
            while not (over := executor.ended()):
                time.sleep(_POLL_SECONDS)
            if not self._store.is_timed(cell.cell_key, machine):
                _, ending = over[0]
                _, details = told_of(job, ending, self._store.run(job.key))
                observer.untimed(cell, details["error"])

    def _is_lively(self, experiment: Experiment, to_do: Set[str]) -> bool:
        return experiment.key in to_do or self._store.run(experiment.key).has_result

    @cached_property
    def _machine(self) -> str:
        return machine_of(self._setup)

    def _training_seconds(self, jobs: Sequence[Job], at_once: int) -> float:
        """What training will take as the cells were timed; NaN where one could not be."""
        total = 0.0
        for job in jobs:
            experiment = self._by_key[job.key]
            path = self._store.throughput_path(experiment.cell_key, self._machine)
            if not path.exists():
                return math.nan
            total += experiment.settings.clock.seconds_at(read_json(path))
        return total / max(1, min(at_once, len(jobs)))

    def _run_all(self, jobs: Sequence[Job], executor: Executor, observer: Observer) -> None:
        waiting = Waiting(jobs, self._store)
        settling = {job.key: Settling(self._store.run(job.key)) for job in jobs}
        under_way: set[str] = set()
        look_elsewhere = 0.0
        while waiting or under_way:
            while len(under_way) < executor.slots and (job := waiting.next()):
                executor.start(job)
                under_way.add(job.key)
                self._read[job.key] = self._store.run(job.key).events_size
                observer.started(self._by_key[job.key])
            if time.monotonic() >= look_elsewhere:
                for job in waiting.done_elsewhere():
                    self._tell_end(job, observer)
                look_elsewhere = time.monotonic() + _LOOK_SECONDS
            time.sleep(_POLL_SECONDS)
            for key in under_way:
                self._pass_on_events(key, observer)
            for job, ending in executor.ended():
                self._pass_on_events(job.key, observer)
                under_way.remove(job.key)
                verdict = settling[job.key].settle(job, ending)
                if verdict.again is not None:
                    waiting.add(verdict.again)
                    observer.again(self._by_key[job.key], verdict.why)
                elif self._tell_end(job, observer) in FAILURES and self._stops:
                    observer.stopped(self._by_key[job.key])
                    return

    @property
    def _stops(self) -> bool:
        return self._setup.on_failure == "stop"

    def _tell_end(self, job: Job, observer: Observer) -> str:
        outcome = _state(self._store.run(job.key))
        observer.ended(self._by_key[job.key], outcome)
        return str(outcome["outcome"])

    def _pass_on_events(self, key: str, observer: Observer) -> None:
        folder = self._store.run(key)
        size = folder.events_size
        if size != self._read[key]:
            # A run that is resumed forgets some.
            for event in folder.events(min(self._read[key], size), size):
                observer.progressed(self._by_key[key], event)
            self._read[key] = size

    def _job(self, task: str, experiment: Experiment) -> Job:
        setup = self._setup
        return Job(
            task=task,
            key=experiment.key,
            store=str(setup.store.resolve()),
            data_folder=str(setup.data_folder.resolve()),
            device=setup.device,
            threads=setup.threads,
            plugins=setup.plugins.anywhere,
            timeout_seconds=setup.timeout_seconds,
            memory_bytes=setup.memory_bytes,
            checkpoint_seconds=setup.checkpoint_seconds,
            deterministic=setup.deterministic,
        )


def _state(folder: RunFolder) -> dict[str, Any]:
    """Its outcome; of a run that somebody else is doing again by now, that it is."""
    return folder.outcome() or {"outcome": folder.status}
