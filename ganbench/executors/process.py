"""A worker's process, as whoever starts it sees it: started, watched, ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from filelock import Timeout

from ganbench.errors import StoreError
from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.store import RunFolder

# Exit codes of a worker that has not brought its run to an outcome: another process is doing the
# run; another has taken it over; it was asked to end.
BUSY, LEASE_LOST, INTERRUPTED = 75, 76, 77
# In a log, before what each process of the run printed.
LOG_MARK = "--- "
# For a worker that is asked to end: to write a checkpoint, if it gets to one.
GRACE_SECONDS = 5.0


class WorkerProcess:
    """A fresh process that does one job, in a session of its own: no Ctrl-C reaches it.

    Args:
        environment: variables that go over those of this process.
    """

    def __init__(self, job: Job, environment: Mapping[str, str] | None = None) -> None:
        self.job = job
        threads = str(job.threads)
        fixed = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        if job.deterministic:
            fixed["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # read when CUDA is first used
        with (job.run_path / "log.txt").open("ab") as log:
            began = time.strftime("%Y-%m-%d %H:%M:%S")
            log.write(f"\n{LOG_MARK}{job.task}, {began}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                # -P: modules of the current folder must not stand in for the installed ones.
                [sys.executable, "-P", "-m", "ganbench.executors.worker", job.to_text()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    **fixed,
                    **(environment or {}),
                    "GANBENCH_PARENT": str(os.getpid()),
                },
                start_new_session=True,
            )
        self._deadline = time.monotonic() + job.timeout_seconds if job.timeout_seconds else None
        self._timed_out = False

    def ended(self) -> Ending | None:
        """How it ended, or None while it runs; when its time is up it is made to end."""
        code = self._process.poll()
        if code is not None:
            self._clean_up()
            return Ending(code, timed_out=self._timed_out)
        if self._deadline is not None and time.monotonic() > self._deadline:
            if self._timed_out:
                self.kill()
            else:
                self.ask_to_end()
                self._timed_out = True
                self._deadline += GRACE_SECONDS
        return None

    def ask_to_end(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        """End it, and what it started, now."""
        self._process.kill()
        self._process.wait()
        self._clean_up()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within that time."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))
        return self._process.returncode is not None

    def _clean_up(self) -> None:
        """End what it started, and take its lease from it: here it is known to be dead."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(Timeout, StoreError), RunFolder(self.job.run_path).lease():
            pass


def end_all(processes: Sequence[WorkerProcess]) -> None:
    """Ask all of them to end, and kill those that don't in time."""
    for process in processes:
        process.ask_to_end()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        process.wait(deadline - time.monotonic())
        process.kill()
