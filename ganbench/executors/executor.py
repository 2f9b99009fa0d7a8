"""What does the jobs of a study: the contract of an executor, and the ones there are."""

from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, NamedTuple, Protocol

from ganbench.errors import unknown
from ganbench.executors.job import Job

EXECUTORS = {
    "local": "ganbench.executors.local:LocalExecutor",
    "ray": "ganbench.executors.ray:RayExecutor",
}


class Ending(NamedTuple):
    """How a job's process ended.

    Args:
        exit_code: minus the number of the signal that ended it.
        timed_out: it was ended because its time was up.
        lost: why nothing is known of it, such as a machine that is gone; empty otherwise. It
            says nothing of the job, which may be tried again.
    """

    exit_code: int = 0
    timed_out: bool = False
    lost: str = ""


@dataclass(frozen=True)
class Resources:
    """What an executor may use.

    Args:
        device: `auto`, `cpu`, `cuda` (all GPUs that are visible) or `cuda:1` (that one).
        jobs: at once; 0 for as many as fit: one per `threads` cores on a CPU, one per GPU.
        threads: of each job on a CPU.
        address: of a cluster; empty for one that the executor makes.
    """

    device: str = "auto"
    jobs: int = 0
    threads: int = 1
    address: str = ""


class Executor(Protocol):
    """Does jobs, several at once, each in a fresh process; made from `Resources`.

    Args:
        is_here: the jobs are done on this machine, whose speed is therefore theirs.
    """

    is_here: ClassVar[bool]

    def __init__(self, resources: Resources) -> None:
        """Raises BadInput: it is not installed, or its cluster can't be reached."""

    @property
    def slots(self) -> int:
        """How many jobs it does at once, at most; it may change."""
        ...

    def start(self, job: Job) -> None:
        """Take a job; called while fewer than `slots` are under way."""
        ...

    def ended(self) -> list[tuple[Job, Ending]]:
        """Those that ended since the last call; returns at once."""
        ...

    def stop(self) -> None:
        """End whatever is under way, giving it a moment to save itself; return when it is."""
        ...


def executor_class(name: str) -> type[Executor]:
    """The class of the executor of that name.

    Raises:
        BadInput: there is none.
    """
    if name not in EXECUTORS:
        raise unknown("executor", name, EXECUTORS)
    module, _, cls = EXECUTORS[name].partition(":")
    found: type[Executor] = getattr(import_module(module), cls)
    return found


def executor_for(name: str, resources: Resources) -> Executor:
    """The executor of that name, ready.

    Raises:
        BadInput: there is none, it is not installed, or its cluster can't be reached.
    """
    return executor_class(name)(resources)
