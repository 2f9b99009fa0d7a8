"""Whether somebody is doing a run, and leases that keep everybody from it."""

import stat
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ganbench.errors import StoreError
from ganbench.lease import LEASE_SECONDS
from ganbench.store import RunFolder
from ganbench.upkeep.acts import set_aside
from ganbench.upkeep.findings import Finding


def is_old(path: Path) -> bool:
    """Whether it has not been written for so long that nobody is writing it."""
    try:
        return time.time() - path.lstat().st_mtime > LEASE_SECONDS
    except OSError:
        return False


def is_live(folder: RunFolder) -> bool:
    """Whether somebody is doing the run, as far as can be seen without taking its lease."""
    lease = folder.path / "lease"
    try:
        if not stat.S_ISREG(lease.lstat().st_mode):
            return False
        return folder.is_leased
    except FileNotFoundError:
        return False
    except (StoreError, OSError):  # who has it can't be known: its attempts are damaged
        return not is_old(lease)


def lease_findings(folder: RunFolder) -> Iterator[Finding]:
    """What is wrong with the lease of a run that nobody is doing."""
    path = folder.path / "lease"
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return
    aside = (partial(set_aside, path),)
    if not is_plain:
        what = "it is no plain file, and nobody can do the run"
        yield Finding(path, what, "set aside", aside)
    elif folder.lease().pid is None:
        what = "it names nobody: its process ended while it was written"
        yield Finding(path, what, "set aside", aside, loses=False)
    else:
        what = "whoever held it is gone, or was not heard of for long"
        yield Finding(path, what, "nothing to do, the next to do the run takes it", loses=False)
