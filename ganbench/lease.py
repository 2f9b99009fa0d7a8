"""Who does a run: whoever holds its lease, and nobody else writes in its folder."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import SoftFileLease, Timeout

from ganbench.errors import StoreError

# A process that has not refreshed its lease for so long is taken for dead. One whose pid is gone
# from this machine is known to be.
LEASE_SECONDS = 60.0
_NAMELESS_SECONDS = 5.0  # from the making of a lease to the name of its holder in it, at most
_EXCHANGE_SECONDS = 0.1  # so long filelock may have put a lease aside that it leaves to its holder


class Lease(SoftFileLease):
    """Of a run: a file that names its holder.

    A holder that was killed before it had written its name leaves an empty file, which filelock
    never takes over. Here that is done when this object has seen it unchanged for some seconds.

    Raises:
        Timeout: somebody else has it.
        StoreError: its file can't be written.
    """

    on_lost: Callable[[Any], None]
    _names_token = False
    _nameless: tuple[float, int, int, int] | None = None

    def acquire(self, *args: Any, **kwargs: Any) -> Any:
        with self._told():
            acquired = super().acquire(*args, **kwargs)
            self._names_token = self._is_ours()  # not so if filelock comes to write it otherwise
            return acquired

    def release(self, *args: Any, **kwargs: Any) -> None:
        with self._told():
            super().release(*args, **kwargs)

    def check(self) -> None:
        """Make sure that it is still ours, just before something is written.

        A process that slept for longer than a lease lasts has lost it, and writes before it is
        told of that by the thread that keeps the lease fresh.
        """
        if not self._names_token or self._is_ours():
            return
        time.sleep(_EXCHANGE_SECONDS)
        if not self._is_ours():
            self.on_lost(None)

    def _is_ours(self) -> bool:
        try:
            return f"token={self.token}\n" in Path(self.lock_file).read_text()
        except OSError:
            return False

    def _acquire(self) -> None:
        self._free_if_nameless()
        super()._acquire()

    def _free_if_nameless(self) -> None:
        try:
            descriptor = os.open(self.lock_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # one process at a time
            found, named = os.fstat(descriptor), os.lstat(self.lock_file)
            if found.st_size or not os.path.samestat(found, named):
                self._nameless = None
                return
            seen = (found.st_dev, found.st_ino, found.st_ctime_ns)
            if self._nameless is None or self._nameless[1:] != seen:
                self._nameless = (time.monotonic(), *seen)
            elif time.monotonic() - self._nameless[0] >= _NAMELESS_SECONDS:
                os.unlink(self.lock_file)  # noqa: PTH108, it may be of any type of path
        except (BlockingIOError, FileNotFoundError):
            return
        finally:
            os.close(descriptor)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Timeout:
            raise
        except OSError as error:
            why = error.strerror or error
            raise StoreError(f"'{self.lock_file}' can't be written: {why}") from error
