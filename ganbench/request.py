"""What a user asks for, and where and how the work is to be done."""

import math
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ganbench.errors import BadInput, unknown
from ganbench.executors.executor import Resources, executor_class
from ganbench.executors.job import PluginChoice
from ganbench.executors.local import fitting
from ganbench.folders import user_cache

RULES = ("fixed", "recommended")
# `reuse` keeps results and what failed twice in the same way, `failed` keeps results only, and
# `rerun` keeps nothing.
EXISTING = ("reuse", "failed", "rerun")
ON_FAILURE = ("continue", "stop")


@dataclass(frozen=True)
class Request:
    """What is to be compared, as specs; an empty one means what suits the protocol and the data.

    Args:
        rules: `fixed` trains all by the protocol, `recommended` each objective by what its parts
            declare (learning rates, betas, schedule), where the user asks for nothing else.
        seeds: how many, from 0 on.
        download: fetch a data set that is not there.
    """

    losses: str
    datasets: str = ""
    schedules: str = ""
    architectures: str = ""
    metrics: str = ""
    extractors: str = ""
    protocol: str = "quick"
    rules: str = "fixed"
    seeds: int = 3
    download: bool = False

    def __post_init__(self) -> None:
        if self.rules not in RULES:
            raise unknown("set of rules", self.rules, RULES)
        if self.seeds < 1:
            raise BadInput(f"a study needs at least one seed, not {self.seeds}")


@dataclass(frozen=True)
class Setup:
    """Where and how the work is done; none of it changes what a run computes.

    Args:
        jobs: processes at once; 0 is one per core on a CPU and one per GPU.
        threads: of each process on a CPU.
        executor: what does the jobs, one of `executors.executor.EXECUTORS`.
        address: of its cluster; empty for one that it makes.
        timeout_seconds: after which a run is ended; 0 for never.
        memory_bytes: that a run may allocate; 0 for no limit.
        checkpoint_seconds: between checkpoints; negative for as often as costs next to nothing.
        deterministic: only kernels that give the same bits each time, on a GPU too.
        existing: of what the store has already, one of EXISTING.
        on_failure: `continue` with the other runs, or `stop`.
    """

    store: Path
    data_folder: Path
    device: str = "auto"
    jobs: int = 0
    threads: int = 1
    plugins: PluginChoice = field(default_factory=PluginChoice)
    executor: str = "local"
    address: str = ""
    timeout_seconds: float = 0.0
    memory_bytes: int = 0
    checkpoint_seconds: float = -1.0
    deterministic: bool = False
    existing: str = "reuse"
    on_failure: str = "continue"

    def __post_init__(self) -> None:
        if self.jobs < 0 or self.threads < 1:
            raise BadInput(
                f"jobs={self.jobs}, threads={self.threads}: jobs have to be 0 (as many as fit) or"
                " more, threads 1 or more"
            )
        if not 0 <= self.timeout_seconds < math.inf or self.memory_bytes < 0:
            raise BadInput(
                f"timeout_seconds={self.timeout_seconds}, memory_bytes={self.memory_bytes}:"
                " both have to be 0 (no limit) or more"
            )
        if self.existing not in EXISTING:
            raise unknown("way with existing runs", self.existing, EXISTING)
        if self.on_failure not in ON_FAILURE:
            raise unknown("way with failures", self.on_failure, ON_FAILURE)
        if self.is_here and self.address:
            raise BadInput(
                f"address '{self.address}': the executor '{self.executor}' works on this machine;"
                " `--executor ray` has a cluster's address"
            )

    @property
    def is_here(self) -> bool:
        """Whether the work is done on this machine."""
        return executor_class(self.executor).is_here

    @property
    def resources(self) -> Resources:
        return Resources(self.device, self.jobs, self.threads, self.address)

    @cached_property
    def at_once(self) -> int:
        """Jobs at once on this machine."""
        return self.jobs or fitting(self.resources)


def default_data_folder() -> Path:
    """`$GANBENCH_DATA`, else `ganbench/data` in the user's cache folder."""
    return Path(os.environ.get("GANBENCH_DATA") or user_cache() / "data")
