"""Processes on this machine: a fresh one for each job, a few at a time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from ganbench.executors.job import Job

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 5


def run_jobs(
    jobs: Sequence[Job], at_once: int, tick: Callable[[list[Job]], None]
) -> Iterator[tuple[Job, int]]:
    """Do all jobs; yield each as it ends, with its exit code (minus the signal that ended it).

    Args:
        at_once: processes at the same time.
        tick: called several times a second with the jobs under way.
    """
    waiting = list(reversed(jobs))
    under_way: dict[subprocess.Popen[bytes], Job] = {}
    try:
        while waiting or under_way:
            while waiting and len(under_way) < at_once:
                job = waiting.pop()
                under_way[_start(job)] = job
            time.sleep(_POLL_SECONDS)
            tick(list(under_way.values()))
            for process in [p for p in under_way if p.poll() is not None]:
                yield under_way.pop(process), process.returncode
    finally:
        _end(list(under_way))


def _start(job: Job) -> "subprocess.Popen[bytes]":
    """Start a worker in a session of its own, so that Ctrl-C reaches only the parent."""
    threads = str(job.threads)
    with (job.run_path / "log.txt").open("ab") as log:
        return subprocess.Popen(
            # -P: modules of the current folder must not stand in for the installed ones.
            [sys.executable, "-P", "-m", "ganbench.executors.worker", job.to_text()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            start_new_session=True,
        )


def _end(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()
