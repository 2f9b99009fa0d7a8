"""What is found in a store, and what is done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ganbench.printable import printable


@dataclass(frozen=True)
class Finding:
    """Something in a store that is not as it should be.

    Args:
        path: where.
        what: what is wrong.
        remedy: what `acts` do, as in "to be deleted"; without them, what a person can do.
        acts: what mends it, in their order, each harmless where it was done before.
        loses: whether something is lost by it: a record, or the chance to go on.
    """

    path: Path
    what: str
    remedy: str
    acts: tuple[Callable[[], None], ...] = ()
    loses: bool = True

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.what}; {'to be ' if self.acts else ''}{self.remedy}")


@dataclass(frozen=True)
class Checked:
    """One piece of a store that was looked at.

    Args:
        status: of a run, as `RunFolder.status` has it; empty for what is no run.
    """

    findings: tuple[Finding, ...]
    status: str = ""
