"""What a user asks for, and where and how the work is to be done."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ganbench.acceleration import cpu_count, resolve_device
from ganbench.errors import BadInput, unknown
from ganbench.executors.job import PluginChoice
from ganbench.folders import user_cache

RULES = ("fixed", "recommended")


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
    return Path(os.environ.get("GANBENCH_DATA") or user_cache() / "data")
