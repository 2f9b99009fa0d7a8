"""A study: from what a user asks, through planned runs, to outcomes in a store."""

import math
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Protocol

from filelock import Timeout

from ganbench.acceleration import cpu_count, resolve_device
from ganbench.assembly import check_parts, checked_metrics
from ganbench.choices import Choice, choose
from ganbench.data import Data
from ganbench.environment import describe
from ganbench.errors import BadInput, NotPrepared
from ganbench.executors.job import Job, PluginChoice
from ganbench.executors.local import run_jobs
from ganbench.experiment import Experiment, Objective, choose_objective
from ganbench.plugins import ARCHITECTURE, DATASET, METRIC, SCHEDULE, Catalogue, Kind, code_of
from ganbench.protocol import Protocol as TrainingProtocol
from ganbench.protocol import choose_protocol
from ganbench.specs import Spec, parse_entries, parse_one
from ganbench.store import Outcome, RunFolder, Store, read_json


@dataclass(frozen=True)
class Request:
    """What is to be compared, as specs; an empty one means what suits the data set.

    Args:
        seeds: how many, from 0 on.
        download: fetch a data set that is not there.
    """

    losses: str
    datasets: str = "digits"
    schedules: str = "k-step"
    architectures: str = ""
    metrics: str = ""
    protocol: str = "quick"
    seeds: int = 3
    download: bool = False

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise BadInput(f"a study needs at least one seed, not {self.seeds}")


@dataclass(frozen=True)
class Setup:
    """Where and how the work is done; none of it changes what a run computes.

    Args:
        jobs: processes at once; 0 is one per core on a CPU and one on a GPU.
        threads: of each process on a CPU.
    """

    store: Path
    data_folder: Path
    device: str = "auto"
    jobs: int = 0
    threads: int = 1
    plugins: PluginChoice = field(default_factory=PluginChoice)

    def __post_init__(self) -> None:
        if self.jobs < 0 or self.threads < 1:
            raise BadInput(
                f"jobs={self.jobs}, threads={self.threads}: jobs have to be 0 (as many as fit) or"
                " more, threads 1 or more"
            )

    @cached_property
    def at_once(self) -> int:
        if self.jobs:
            return self.jobs
        on_cpu = resolve_device(self.device).type == "cpu"
        return max(1, cpu_count() // self.threads) if on_cpu else 1


def default_data_folder() -> Path:
    """`$GANBENCH_DATA`, else `ganbench/data` in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("GANBENCH_DATA") or cache / "ganbench" / "data")


class Observer(Protocol):
    """Who watches a study; every method may do nothing."""

    def planned(self, experiments: Sequence[Experiment], reused: int, setup: Setup) -> None: ...
    def timing(self, experiment: Experiment, number: int, total: int) -> None: ...
    def untimed(self, experiment: Experiment, error: str) -> None: ...
    def estimated(self, training_seconds: float) -> None: ...
    def started(self, experiment: Experiment) -> None: ...
    def progressed(self, experiment: Experiment, event: dict[str, Any]) -> None: ...
    def ended(self, experiment: Experiment, outcome: dict[str, Any]) -> None: ...


def plan(request: Request, setup: Setup, catalogue: Catalogue) -> list[Experiment]:
    """The whole grid: all cells of one seed before the next seed, without doubles.

    Raises:
        GanbenchError: anything asked for does not exist, does not fit, or is not prepared.
    """
    resolve_device(setup.device)
    protocol = choose_protocol(parse_one(request.protocol))
    objectives = [choose_objective(catalogue, entry) for entry in parse_entries(request.losses)]
    schedules = _choose_all(catalogue, SCHEDULE, request.schedules)
    cells = [
        cell
        for dataset in _choose_all(catalogue, DATASET, request.datasets)
        for cell in _cells(request, setup, catalogue, dataset, objectives, schedules, protocol)
    ]
    everything = [cell.with_seed(seed) for seed in range(request.seeds) for cell in cells]
    return list({experiment.key: experiment for experiment in everything}.values())


def _cells(
    request: Request,
    setup: Setup,
    catalogue: Catalogue,
    dataset: Choice,
    objectives: Sequence[Objective],
    schedules: Sequence[Choice],
    protocol: TrainingProtocol,
) -> Iterator[Experiment]:
    cls = dataset.component.cls
    metrics = _choose_all(catalogue, METRIC, request.metrics or ",".join(cls.metrics))
    architectures = _choose_all(catalogue, ARCHITECTURE, request.architectures or cls.architecture)
    data = load(dataset, setup.data_folder, download=request.download)
    fingerprint = data.fingerprint()
    machine = _machine(setup) if protocol.budget.unit == "s" else None
    settings = tuple(tuple(metric.settings) for metric in checked_metrics(metrics, data))
    for architecture in architectures:
        for schedule in schedules:
            for objective in objectives:
                cell = Experiment(
                    objective=objective,
                    architecture=architecture,
                    schedule=schedule,
                    dataset=dataset,
                    data_fingerprint=fingerprint,
                    metrics=metrics,
                    metric_settings=settings,
                    protocol=protocol,
                    seed=0,
                    machine=machine,
                )
                check_parts(cell, data)
                yield cell


def _machine(setup: Setup) -> str:
    """The digest of what decides speed here."""
    return str(describe(resolve_device(setup.device), setup.threads, Catalogue(()))["machine"])


def _choose_all(catalogue: Catalogue, kind: Kind, text: str) -> tuple[Choice, ...]:
    return tuple(choose(catalogue, kind, _single(entry)) for entry in parse_entries(text))


def _single(entry: Sequence[Spec]) -> Spec:
    return parse_one("+".join(map(str, entry)))


def load(dataset: Choice, folder: Path, *, download: bool = False) -> Data:
    """Load a data set; where it is not there, fetch it, or say by which command.

    Raises:
        NotPrepared: it is not there.
        BadInput: a file of it can't be read.
    """
    try:
        with code_of(dataset.component):
            instance = dataset.create()
            if download:
                instance.prepare(folder)
            data: Data = instance.load(folder)
            return data
    except NotPrepared as error:
        command = f"ganbench prepare {quote(dataset.short)}"
        if folder != default_data_folder():
            command += f" --data-folder {quote(str(folder))}"
        raise NotPrepared(
            f"data set '{dataset.short}' is not prepared: {error}\n  Prepare it with: {command}"
        ) from error


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
        open_runs = [e for e in self.experiments if not folders[e.key].has_result]
        observer.planned(self.experiments, len(self.experiments) - len(open_runs), self._setup)
        if open_runs:
            self._time_cells(observer)
            observer.estimated(self._training_seconds(open_runs))
            self._run_all(open_runs, observer)

    def _time_cells(self, observer: Observer) -> None:
        """Time each cell that this machine has not timed yet, one after another, alone."""
        cells = {e.cell_key: e for e in reversed(self.experiments)}
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
        return _machine(self._setup)

    def _training_seconds(self, experiments: Sequence[Experiment]) -> float:
        """What training will take as the cells were timed; NaN where one could not be."""
        total = 0.0
        for experiment in experiments:
            path = self._store.throughput_path(experiment.cell_key, self._machine)
            if not path.exists():
                return math.nan
            total += experiment.protocol.budget.seconds_at(read_json(path))
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
