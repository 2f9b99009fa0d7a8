"""What follows from the end of a run's process: an outcome, or another try."""

import signal
from dataclasses import replace
from typing import Any, NamedTuple

from filelock import Timeout

from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.executors.process import BUSY, INTERRUPTED, LEASE_LOST, LOG_MARK
from ganbench.store import Outcome, RunFolder
from ganbench.waiting import held, is_done

_IN_VAIN = 3  # so often a run is put back that gets no further
_LAST_LINE = 200  # characters of a log that an outcome quotes
_TAIL = 64 * 1024
_SKIP_SECONDS = 5.0  # for another process that skips the same run


class Verdict(NamedTuple):
    """What is to be done: `again`, because of `why`; or nothing, as the run has its outcome."""

    again: Job | None = None
    why: str = ""


_DONE = Verdict()
_NOT_DONE = {
    BUSY: "another process is doing it",
    LEASE_LOST: "it was not heard of for so long that it was taken for dead",
    INTERRUPTED: "it was asked to end",
}


class Settling:
    """Brings one run to its outcome, whatever its processes do.

    A run whose process was ended by a signal is tried once more; what fails twice in the same
    way is left. One whose machine is gone, or that says itself that it is not done, is put back,
    a few times if it gets no further.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._lease = folder.lease()
        self._farthest = 0
        self._in_vain = 0

    def settle(self, job: Job, ending: Ending) -> Verdict:
        """See to it that the run has an outcome, or say that it is to be done again.

        Raises:
            StoreError: the outcome can't be written.
        """
        if is_done(self._folder, job):
            self._folder.tidy()
            return _DONE
        why = "" if ending.timed_out else ending.lost or _NOT_DONE.get(ending.exit_code, "")
        if why and self._may_be_put_back():
            return Verdict(job, why)
        outcome, details = told_of(job, ending, self._folder)
        attempt = self._record(job.supersedes, outcome, details)
        if not attempt:
            return _DONE if is_done(self._folder, job) else Verdict(job, _NOT_DONE[BUSY])
        if "signal" in details and not self._folder.failed_twice:
            return Verdict(replace(job, supersedes=attempt, fresh=False), details["error"])
        return _DONE

    def skip_to(self, outcome: Outcome, **details: Any) -> None:
        """Give the run an outcome without a process, in place of one that it may have."""
        before = self._folder.outcome()
        if before is None or before["outcome"] != outcome:
            superseded = 0 if before is None else before.get("attempt", 0)
            self._record(superseded, outcome, details, _SKIP_SECONDS)

    def _may_be_put_back(self) -> bool:
        """A plugin could end its process with any exit code, each time."""
        size = self._folder.events_size
        self._in_vain = 0 if size > self._farthest else self._in_vain + 1
        self._farthest = max(size, self._farthest)
        return self._in_vain <= _IN_VAIN

    def _record(
        self, supersedes: int, outcome: Outcome, details: dict[str, Any], wait: float = 0.0
    ) -> int:
        """Write the outcome, in place of that of the attempt `supersedes`.

        Returns the number of its attempt; 0 where another process has the run, or has done it.
        """
        folder = self._folder
        try:
            with held(self._lease, wait):
                before = folder.outcome()
                if before is not None and before.get("attempt", 0) != supersedes:
                    return 0
                number = folder.last_attempt
                if before is not None or not number:  # its process ended before it began
                    number = folder.begin_attempt()
                    folder.supersede(supersedes)
                folder.finish(outcome, attempt=number, **details)
        except Timeout:
            return 0
        return number


def told_of(job: Job, ending: Ending, folder: RunFolder) -> tuple[Outcome, dict[str, Any]]:
    """What is known of a worker that ended without a word of its own."""
    if ending.timed_out:
        return Outcome.TIMED_OUT, {"error": f"still running after {job.timeout_seconds:g} s"}
    if ending.lost:
        return Outcome.CRASHED, {"error": ending.lost}
    last = _last_line(folder)
    code = ending.exit_code
    if code >= 0:
        error = f"exit code {code}" + f": {last}" * bool(last)
        return Outcome.CRASHED, {"error": error, "exit_code": code}
    try:
        ended = f"ended by {signal.Signals(-code).name}"
    except ValueError:
        ended = f"ended by signal {-code}"
    return Outcome.CRASHED, {"error": ended, "signal": -code, "last_line": last}


def _last_line(folder: RunFolder) -> str:
    """The last that the last process of the run printed."""
    try:
        with (folder.path / "log.txt").open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _TAIL))
            tail = log.read().decode(errors="replace")
    except OSError:
        return ""
    lines = tail.strip().splitlines()
    if not lines or lines[-1].startswith(LOG_MARK):
        return ""
    return lines[-1][:_LAST_LINE]
