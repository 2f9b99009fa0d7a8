"""The process that does one job and ends: `python -m ganbench.executors.worker JOB`.

What it prints, and what plugins print in it, goes to the run's log.txt. Asked to end (SIGTERM),
it writes a checkpoint first, if it gets to one in time.
"""

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, NoReturn

import torch
from filelock import FileLock, Timeout

from ganbench.acceleration import limit_memory, resolve_device, use
from ganbench.blame import traceback_of
from ganbench.catalogue import Catalogue, code_of
from ganbench.data import Data
from ganbench.environment import describe
from ganbench.errors import BadInput, GanbenchError, PluginBroken, StoreError
from ganbench.executors.job import Job
from ganbench.executors.process import BUSY, INTERRUPTED, LEASE_LOST
from ganbench.experiment import Experiment, from_recipe
from ganbench.files import write_json
from ganbench.keeping import Attempt, Interrupted
from ganbench.runner import run
from ganbench.store import SCHEMA, Outcome, RunFolder, Store
from ganbench.timing import measure


def train_and_score(job: Job, store: Store) -> None:
    """Do the run, unless another process does it or has done it."""
    folder = store.run(job.key)
    lease = folder.lease(on_lost=lambda _: os._exit(LEASE_LOST))
    try:
        lease.acquire()
    except Timeout:
        sys.exit(BUSY)
    with lease:
        outcome = folder.outcome()
        if outcome is None or outcome.get("attempt", 0) == job.supersedes:
            _attempt(job, store, folder.held_by(lease))


def _attempt(job: Job, store: Store, folder: RunFolder) -> None:
    refused: GanbenchError | None = None
    try:
        experiment, device, environment = _settled(job, store)
        data = _planned_data(experiment, job)
    except StoreError:
        raise
    except GanbenchError as error:
        refused = error
    number = folder.begin_attempt(machine=None if refused else environment["machine"])
    folder.supersede(job.supersedes)
    folder.sweep()
    if refused is not None:
        outcome, details = _refusal(refused)
        folder.finish(outcome, attempt=number, **details)
        return
    if job.fresh:
        folder.begin_anew()
    folder.save_environment(environment)
    if job.memory_bytes:
        limit_memory(device, job.memory_bytes)
    with _asked_to_end() as asked:
        run(experiment, data, device, folder, Attempt(number, job.checkpoint_seconds, asked))


def _refusal(error: GanbenchError) -> tuple[Outcome, dict[str, str]]:
    """The outcome of a run that can no longer be made, and its details."""
    details = {
        "type": type(error).__name__,
        "error": str(error).partition("\n")[0],
        "traceback": traceback_of(error),
    }
    if isinstance(error, PluginBroken):
        return Outcome.PLUGIN_ERROR, {**details, "plugin": error.plugin}
    return Outcome.CRASHED, details


@contextmanager
def _asked_to_end() -> Iterator[Callable[[], bool]]:
    """Within, SIGTERM ends nothing; what is yielded says whether it came."""
    asked = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


def time_cell(job: Job, store: Store) -> None:
    """Measure the speed of the run's cell on this machine, unless another process has."""
    experiment, device, environment = _settled(job, store)
    path = store.throughput_path(experiment.cell_key, environment["machine"])
    path.parent.mkdir(exist_ok=True)
    with FileLock(path.parent / "lock"):
        if not path.exists():
            data = _planned_data(experiment, job)
            if job.memory_bytes:
                limit_memory(device, job.memory_bytes)
            measured = measure(experiment, data, device)
            content = {"cell": experiment.cell_key, "environment": environment, **measured}
            write_json(path, {"schema": SCHEMA, **content})


TASKS: dict[str, Callable[[Job, Store], None]] = {"run": train_and_score, "time": time_cell}


def _settled(job: Job, store: Store) -> tuple[Experiment, torch.device, dict[str, Any]]:
    catalogue = job.plugins.discover()
    experiment = _planned(store.run(job.key).recipe(), catalogue)
    device = resolve_device(job.device)
    use(device, job.threads, deterministic=job.deterministic)
    return experiment, device, describe(device, job.threads, catalogue)


def _planned(recipe: Mapping[str, Any], catalogue: Catalogue) -> Experiment:
    """The experiment; PluginBroken where one that it was planned with is broken by now."""
    try:
        return from_recipe(recipe, catalogue)
    except BadInput as error:
        parts = [recipe[name] for name in ("loss", "architecture", "schedule", "dataset")]
        needed = {part["distribution"] for part in (*parts, *recipe["penalties"])}
        for plugin in catalogue.broken:
            if plugin.origin.distribution in needed:
                origin = str(plugin.origin)
                broken = PluginBroken(f"plugin {origin} is broken: {plugin.error}", origin)
                broken.add_note(plugin.traceback)
                raise broken from error
        raise


def _planned_data(experiment: Experiment, job: Job) -> Data:
    with code_of(experiment.dataset.component):
        data: Data = experiment.dataset.create().load(Path(job.data_folder))
    if data.fingerprint() != experiment.data_fingerprint:
        raise BadInput(f"the data of {experiment.dataset.short} changed since the run was planned")
    return data


def _end_with_parent(parent: int) -> None:
    """Nobody waits for a worker whose parent is gone, whatever it is doing."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        if os.getsid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)  # with whatever a plugin has started
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _be_the_first_to_go() -> None:
    """Where memory is short, the kernel ends a worker and not who waits for it."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def main() -> None:
    """Do the job that is the first argument."""
    job = Job.from_text(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _end_with_parent(int(os.environ["GANBENCH_PARENT"]))
    _be_the_first_to_go()
    try:
        TASKS[job.task](job, Store(Path(job.store)))
    except Interrupted:
        sys.exit(INTERRUPTED)


def _leave(work: Callable[[], None]) -> NoReturn:
    """Work, and be gone, though a thread that a plugin started may go on for ever."""
    code: object = 0
    try:
        work()
    except SystemExit as error:
        code = 0 if error.code is None else error.code
    except BaseException:
        traceback.print_exc()
        code = 1
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _leave(main)
