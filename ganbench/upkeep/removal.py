"""Removing what is not needed any more, once somebody has said so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from ganbench.upkeep.acts import delete
from ganbench.upkeep.removable import Removable, Wanted
from ganbench.upkeep.store import Piece, pieces


@dataclass(frozen=True)
class Survey:
    """What can go of one piece of a store."""

    piece: Piece
    items: Sequence[Removable]


def survey(path: Path, wanted: Wanted) -> list[Survey]:
    """Find what can go, but for runs that somebody is doing; nothing is removed.

    Raises:
        StoreError: `path` is no store, or a newer ganbench's.
    """
    found = [
        Survey(piece, list(piece.removable(wanted)))
        for piece in pieces(path)
        if not piece.is_busy()
    ]
    return [each for each in found if each.items]


def totals(items: Sequence[Removable]) -> dict[str, tuple[int, int]]:
    """How many files and bytes of each kind."""
    sizes: dict[str, list[int]] = {}
    for item in items:
        sizes.setdefault(item.kind, []).extend(path.lstat().st_size for path in item.contents())
    return {kind: (len(files), sum(files)) for kind, files in sizes.items()}


def remove(surveys: Sequence[Survey], wanted: Wanted) -> Iterator[Path]:
    """Remove what was found and can still go; yield the path of each piece that is not free.

    Raises:
        StoreError: something can't be removed.
    """
    for each in surveys:
        try:
            with each.piece.held():
                still = set(each.piece.removable(wanted))
                for item in still.intersection(each.items):
                    delete(item.path)
        except Timeout:
            yield each.piece.path
