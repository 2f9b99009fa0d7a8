"""From what a user asks to experiments: every name looked up, every part shown to the others."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shlex import quote

from ganbench.acceleration import cpu_count, resolve_device
from ganbench.assembly import check_parts, checked_metrics
from ganbench.choices import Choice, choose
from ganbench.data import Data
from ganbench.environment import describe
from ganbench.errors import BadInput, NotPrepared
from ganbench.executors.job import PluginChoice
from ganbench.experiment import Experiment, Objective, choose_objective
from ganbench.plugins import ARCHITECTURE, DATASET, METRIC, SCHEDULE, Catalogue, Kind, code_of
from ganbench.protocol import Protocol, choose_protocol
from ganbench.specs import Spec, parse_entries, parse_one


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
    protocol: Protocol,
) -> Iterator[Experiment]:
    cls = dataset.component.cls
    metrics = _choose_all(catalogue, METRIC, request.metrics or ",".join(cls.metrics))
    architectures = _choose_all(catalogue, ARCHITECTURE, request.architectures or cls.architecture)
    data = load(dataset, setup.data_folder, download=request.download)
    fingerprint = data.fingerprint()
    machine = machine_of(setup) if protocol.budget.unit == "s" else None
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


def machine_of(setup: Setup) -> str:
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
