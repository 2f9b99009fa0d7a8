"""Mending what is damaged in a store, as far as it can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from ganbench.printable import printable
from ganbench.upkeep.findings import Finding
from ganbench.upkeep.store import Piece, pieces

_ROUNDS = 4  # what mending one thing uncovers is mended in the next


@dataclass(frozen=True)
class Repaired:
    """What became of something that was found.

    Args:
        left: why it was not mended; empty where it was.
    """

    finding: Finding
    left: str = ""

    def __str__(self) -> str:
        found = self.finding
        return printable(f"{found.path}: {found.what}; {self.left or found.remedy}")


def repair(path: Path, *, dry_run: bool = False) -> Iterator[Repaired]:
    """Mend a store, each run under its lease; what was mended before is left as it is.

    Args:
        dry_run: only say what would be done first.

    Raises:
        StoreError: `path` is no store, a newer ganbench's, or can't be written.
    """
    for piece in pieces(path):
        if piece.is_busy():
            yield _left_to(piece)
            continue
        yield from _mended(tuple(piece.lock_findings()), dry_run=dry_run)
        findings = piece.inspect().findings
        yield from (Repaired(f, f"left: {f.remedy}") for f in findings if not f.acts and f.loses)
        if dry_run:
            yield from _mended(findings, dry_run=True)
        elif any(finding.acts for finding in findings):
            yield from _mend_piece(piece)


def _mend_piece(piece: Piece) -> Iterator[Repaired]:
    try:
        with piece.held():
            for _ in range(_ROUNDS):
                done = list(_mended(piece.inspect().findings, dry_run=False))
                yield from done
                if not done:
                    break
    except Timeout:
        yield _left_to(piece)


def _mended(findings: Sequence[Finding], *, dry_run: bool) -> Iterator[Repaired]:
    for finding in findings:
        if finding.acts:
            for act in () if dry_run else finding.acts:
                act()
            yield Repaired(finding)


def _left_to(piece: Piece) -> Repaired:
    what = "somebody is writing in it, or was until lately"
    return Repaired(Finding(piece.path, what, "looked at later", loses=False), "left")
