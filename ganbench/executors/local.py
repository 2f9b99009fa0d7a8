"""Processes on this machine: a fresh one for each job, a few at a time."""

import os
from collections import Counter
from dataclasses import replace
from typing import ClassVar, NamedTuple

from ganbench.acceleration import cpu_count, gpu_count, resolve_device
from ganbench.executors.executor import Ending, Resources
from ganbench.executors.job import Job
from ganbench.executors.process import WorkerProcess, end_all

_VISIBLE = "CUDA_VISIBLE_DEVICES"


class _Place(NamedTuple):
    """What was asked for, and the GPU that it got; empty on a CPU."""

    job: Job
    gpu: str


class LocalExecutor:
    """As many processes at once as there are cores, or GPUs."""

    is_here: ClassVar[bool] = True

    def __init__(self, resources: Resources) -> None:
        self._gpus = gpus_of(resources.device)
        self.slots = resources.jobs or fitting(resources)
        self._under_way: dict[WorkerProcess, _Place] = {}
        self._unstarted: list[tuple[Job, Ending]] = []

    def start(self, job: Job) -> None:
        gpu = self._freest_gpu()
        try:
            if gpu:  # the only one that the process will see
                process = WorkerProcess(replace(job, device="cuda"), {_VISIBLE: gpu})
            else:
                process = WorkerProcess(job)
        except OSError as error:  # no room for a process, or for its log
            self._unstarted.append((job, Ending(lost=f"it can't be started: {error}")))
        else:
            self._under_way[process] = _Place(job, gpu)

    def ended(self) -> list[tuple[Job, Ending]]:
        found = [(process, process.ended()) for process in self._under_way]
        over = [(process, ending) for process, ending in found if ending is not None]
        unstarted, self._unstarted = self._unstarted, []
        ended = [(self._under_way.pop(process).job, ending) for process, ending in over]
        return [*unstarted, *ended]

    def stop(self) -> None:
        end_all(list(self._under_way))
        self._under_way.clear()

    def _freest_gpu(self) -> str:
        """The one with the fewest jobs; empty on a CPU."""
        load = Counter(place.gpu for place in self._under_way.values())
        return min(self._gpus, key=lambda gpu: load[gpu], default="")


def fitting(resources: Resources) -> int:
    """How many jobs this machine does at once, where the user does not say."""
    return len(gpus_of(resources.device)) or max(1, cpu_count() // resources.threads)


def gpus_of(device: str) -> list[str]:
    """What CUDA_VISIBLE_DEVICES has to be for each GPU that `device` means; none for a CPU.

    Raises:
        BadInput: no such device here.
    """
    if resolve_device(device).type == "cpu":
        return []
    named = [name.strip() for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    known = (named or [str(number) for number in range(gpu_count())])[: gpu_count()]
    return [known[resolve_device(device).index or 0]] if ":" in device else known
