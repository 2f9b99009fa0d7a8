"""Reading everything in a store; nothing is written."""

from collections.abc import Iterator
from pathlib import Path

from ganbench.upkeep.findings import Checked
from ganbench.upkeep.store import pieces


def check(path: Path) -> Iterator[Checked]:
    """Look at each piece of a store; at a run that somebody is doing, only that it is so.

    Raises:
        StoreError: `path` is no store, or a newer ganbench's.
    """
    for piece in pieces(path):
        looked_at = _RUNNING
        if not piece.is_busy():
            found = tuple(piece.lock_findings())
            looked_at = piece.inspect()
            looked_at = Checked((*found, *looked_at.findings), looked_at.status)
        # What somebody has begun to do meanwhile may have been read half written.
        yield _RUNNING if piece.is_busy() else looked_at


_RUNNING = Checked((), "running")
