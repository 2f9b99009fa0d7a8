"""What follows from the end of a run's process: an outcome, or another try."""

import signal
import time
from dataclasses import replace
from typing import Any, NamedTuple

from filelock import Timeout

from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.executors.process import BUSY, INTERRUPTED, LEASE_LOST
from ganbench.store import Outcome, RunFolder
from ganbench.waiting import is_done

_LOSSES = 3  # so often a run is started again whose machine was lost
_LOOK_SECONDS = 0.1  # between two looks at a run that somebody else is giving an outcome
_LAST_LINE = 500  # characters of a log that an outcome quotes
_TAIL = 64 * 1024


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
    way is left. One whose machine is gone is tried a few times.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._lease = folder.lease()
        self._losses = 0

    def settle(self, job: Job, ending: Ending) -> Verdict:
        """See to it that the run has an outcome, or say that it is to be done again."""
        if is_done(self._folder, job):
            self._folder.tidy()
            return _DONE
        if ending.timed_out:
            error = f"still running after {job.timeout_seconds:g} s"
            return self._recorded(job, Outcome.TIMED_OUT, {"error": error})
        if ending.lost:
            self._losses += 1
            if self._losses <= _LOSSES:
                return Verdict(job, ending.lost)
            return self._recorded(job, Outcome.CRASHED, {"error": ending.lost})
        if ending.exit_code in _NOT_DONE:
            return Verdict(job, _NOT_DONE[ending.exit_code])
        told = told_of(ending, self._folder)
        verdict = self._recorded(job, Outcome.CRASHED, told)
        outcome = self._folder.outcome()
        if ending.exit_code < 0 and outcome is not None and not self._folder.failed_twice:
            return Verdict(
                replace(job, supersedes=outcome.get("attempt", 0), fresh=False), told["error"]
            )
        return verdict

    def skip_to(self, outcome: Outcome, **details: Any) -> None:
        """Give the run an outcome without a process, in place of one that it may have."""
        while (before := self._folder.outcome()) is None or before["outcome"] != outcome:
            supersedes = 0 if before is None else before.get("attempt", 0)
            if self._folder.has_result or self._record(supersedes, outcome, details):
                return
            time.sleep(_LOOK_SECONDS)

    def _recorded(self, job: Job, outcome: Outcome, details: dict[str, Any]) -> Verdict:
        if self._record(job.supersedes, outcome, details):
            return _DONE
        return Verdict(job, _NOT_DONE[BUSY])

    def _record(self, supersedes: int, outcome: Outcome, details: dict[str, Any]) -> bool:
        """Write the outcome, in place of that of the attempt `supersedes`; False where another
        process has the run by now."""
        folder = self._folder
        try:
            with self._lease:
                before = folder.outcome()
                if before is not None and before.get("attempt", 0) != supersedes:
                    return True
                number = folder.last_attempt
                if before is not None or not number:  # its process ended before it began
                    number = folder.begin_attempt()
                    folder.supersede(supersedes)
                folder.finish(outcome, attempt=number, **details)
        except Timeout:
            return False
        return True


def told_of(ending: Ending, folder: RunFolder) -> dict[str, Any]:
    """What is known of a worker that ended without a word of its own."""
    last = _last_line(folder)
    code = ending.exit_code
    if code >= 0:
        return {"error": last or f"exit code {code}", "exit_code": code}
    try:
        ended = f"ended by {signal.Signals(-code).name}"
    except ValueError:
        ended = f"ended by signal {-code}"
    return {"error": ended, "signal": -code, "last_line": last}


def _last_line(folder: RunFolder) -> str:
    try:
        with (folder.path / "log.txt").open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _TAIL))
            lines = log.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:_LAST_LINE] if lines else ""
