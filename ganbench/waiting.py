"""Jobs that wait: for room, or for another process that is doing the run already."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from filelock import Timeout

from ganbench.executors.job import Job
from ganbench.lease import Lease
from ganbench.store import RunFolder, Store

_LOOK_SECONDS = 1.0  # between two looks at a run that somebody else is doing


class Waiting:
    """Jobs in their order; of those that others do at the same time none is done twice."""

    def __init__(self, jobs: Iterable[Job], store: Store) -> None:
        self._jobs = deque(jobs)
        self._store = store
        self._leases: dict[str, Lease] = {}
        self._look_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Put a job at the end."""
        self._jobs.append(job)

    def next(self) -> Job | None:
        """Take out the first whose run nobody is doing; None where there is none now."""
        for job in list(self._jobs):
            if self._is_free(job):
                self._jobs.remove(job)
                return job
        return None

    def done_elsewhere(self) -> list[Job]:
        """Take out those whose runs another process has done meanwhile."""
        done = [job for job in self._jobs if is_done(self._store.run(job.key), job)]
        for job in done:
            self._jobs.remove(job)
        return done

    def _is_free(self, job: Job) -> bool:
        """Whether its lease can be had.

        A holder on another machine that died is known by its lease, once this very object has
        seen it unchanged for long enough: so the object is kept.
        """
        if time.monotonic() < self._look_at.get(job.key, 0.0):
            return False
        lease = self._leases.setdefault(job.key, self._store.run(job.key).lease())
        try:
            with held(lease):
                return not is_done(self._store.run(job.key), job)
        except Timeout:
            self._look_at[job.key] = time.monotonic() + _LOOK_SECONDS
            return False


def is_done(folder: RunFolder, job: Job) -> bool:
    """Whether the run has another outcome than the one that the job does away with."""
    outcome = folder.outcome()
    return outcome is not None and outcome.get("attempt", 0) != job.supersedes


@contextmanager
def held(lease: Lease, wait: float = 0.0) -> Iterator[None]:
    """Within, the lease is ours.

    Args:
        wait: seconds for its holder to let it go.

    Raises:
        Timeout: somebody else holds it.
        StoreError: it can't be written.
    """
    lease.acquire(timeout=wait, poll_interval=0.05)
    try:
        yield
    finally:
        lease.release()
