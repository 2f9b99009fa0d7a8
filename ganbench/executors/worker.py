"""The process that does one job and ends: `python -m ganbench.executors.worker JOB`.

What it prints, and what plugins print in it, goes to the run's log.txt.
"""

import os
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import torch

from ganbench.acceleration import resolve_device, use
from ganbench.data import Data
from ganbench.environment import describe
from ganbench.errors import BadInput
from ganbench.executors.job import Job
from ganbench.experiment import Experiment, from_recipe
from ganbench.runner import run
from ganbench.store import Store, write_json
from ganbench.timing import measure


def train_and_score(job: Job, store: Store) -> None:
    """Do the run, unless another process has done it by the time this one may."""
    folder = store.run(job.key)
    with folder.lock:
        if folder.has_result:
            return
        folder.begin_attempt()
        experiment, device, environment = _settled(job, store)
        folder.save_environment(environment)
        run(experiment, _planned_data(experiment, job), device, folder)


def time_cell(job: Job, store: Store) -> None:
    """Measure the speed of the run's cell on this machine."""
    experiment, device, environment = _settled(job, store)
    path = store.throughput_path(experiment.cell_key, environment["machine"])
    content = {"cell": experiment.cell_key, "environment": environment}
    write_json(path, {**content, **measure(experiment, _planned_data(experiment, job), device)})


TASKS = {"run": train_and_score, "time": time_cell}


def _settled(job: Job, store: Store) -> tuple[Experiment, torch.device, dict[str, Any]]:
    catalogue = job.plugins.discover()
    experiment = from_recipe(store.run(job.key).recipe(), catalogue)
    device = resolve_device(job.device)
    use(device, job.threads)
    return experiment, device, describe(device, job.threads, catalogue)


def _planned_data(experiment: Experiment, job: Job) -> Data:
    data: Data = experiment.dataset.create().load(Path(job.data_folder))
    if data.fingerprint() != experiment.data_fingerprint:
        raise BadInput(f"the data of {experiment.dataset.short} changed since the run was planned")
    return data


def _end_with_parent(parent: int) -> None:
    """Nobody waits for a worker whose parent is gone, whatever it is doing."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def main() -> None:
    job = Job.from_text(sys.argv[1])
    _end_with_parent(job.parent)
    TASKS[job.task](job, Store(Path(job.store)))


if __name__ == "__main__":
    main()
