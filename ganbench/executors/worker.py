"""The process that does one job and ends: `python -m ganbench.executors.worker JOB`.

What it prints, and what plugins print in it, goes to the run's log.txt.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from ganbench.acceleration import resolve_device, use
from ganbench.environment import describe
from ganbench.executors.job import Job
from ganbench.experiment import from_recipe
from ganbench.runner import run
from ganbench.store import Store, write_json
from ganbench.timing import measure


def train_and_score(job: Job, store: Store) -> None:
    """Do the run, unless another process has done it by the time this one may."""
    folder = store.run(job.key)
    with FileLock(folder.path / "lock"):
        if folder.has_result:
            return
        catalogue = job.plugins.discover()
        experiment = from_recipe(folder.recipe(), catalogue)
        device = resolve_device(job.device)
        use(device, job.threads)
        folder.begin_attempt(describe(device, job.threads, catalogue))
        data = experiment.dataset.create().load(Path(job.data_folder))
        run(experiment, data, device, folder, _leave_if_orphaned(os.getppid()))


def time_cell(job: Job, store: Store) -> None:
    """Measure the speed of the run's cell on this machine."""
    catalogue = job.plugins.discover()
    experiment = from_recipe(store.run(job.key).recipe(), catalogue)
    device = resolve_device(job.device)
    use(device, job.threads)
    environment = describe(device, job.threads, catalogue)
    data = experiment.dataset.create().load(Path(job.data_folder))
    path = store.throughput_path(experiment.cell_key, environment["machine"])
    content = {"cell": experiment.cell_key, "environment": environment}
    write_json(path, {**content, **measure(experiment, data, device)})


TASKS = {"run": train_and_score, "time": time_cell}


def _leave_if_orphaned(parent: int) -> Callable[[], None]:
    """Nobody waits for a worker whose parent is gone."""

    def check() -> None:
        if os.getppid() != parent:
            raise KeyboardInterrupt

    return check


def main() -> None:
    job = Job.from_text(sys.argv[1])
    TASKS[job.task](job, Store(Path(job.store)))


if __name__ == "__main__":
    main()
