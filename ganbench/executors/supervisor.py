"""What a node of a cluster does with a job: a process of its own, watched and always ended."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.executors.process import WorkerProcess, end_all

_POLL_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def supervise(text: str) -> Ending:
    """Do a job, given as text, in a fresh process of this node, and say how it ended.

    Told to stop (SIGINT, as Ray cancels a task, or SIGTERM), it first ends that process. Call it
    in the main thread.
    """
    job = Job.from_text(text)
    node = socket.gethostname()
    if not job.run_path.is_dir():
        return Ending(
            lost=f"there is no {job.run_path} on {node}: the store has to be a folder that all"
            " nodes share, under the same path"
        )
    with _held_back() as signals:
        try:
            process = WorkerProcess(job)
        except OSError as error:
            return Ending(lost=f"the job can't be started on {node}: {error}")
        ending = None
        try:
            while ending is None and not signals:
                time.sleep(_POLL_SECONDS)
                ending = process.ended()
        finally:
            if ending is None:
                end_all([process])
    return ending or Ending(lost=f"the job was stopped on {node}")


@contextmanager
def _held_back() -> Iterator[list[int]]:
    """Within, a signal to stop is only noted, and interrupts nothing; it is passed on at the end.

    An exception out of the blue could come between the start of a process and the note of it.
    """
    noted: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: noted.append(number)) for each in _SIGNALS
    }
    try:
        yield noted
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    for number in noted[:1]:
        meant_for = before[signal.Signals(number)]
        if callable(meant_for):
            meant_for(number, None)
