"""The checkpoints of a run: which of them a run can go on from."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ganbench.upkeep import shapes
from ganbench.upkeep.acts import delete, set_aside
from ganbench.upkeep.findings import Finding
from ganbench.upkeep.folders import is_folder, is_plain, listed
from ganbench.upkeep.leases import is_old
from ganbench.upkeep.reading import Damaged, Shut, read_record

_MANIFEST = "manifest.json"  # written last


def checkpoints(root: Path) -> list[Path]:
    """Those of one run, finished or not, the latest first."""
    folders = [path for path in listed(root) if path.name.isdecimal() and is_folder(path)]
    return sorted(folders, key=lambda path: int(path.name), reverse=True)


def is_finished(folder: Path) -> bool:
    """Whether it was written to its end."""
    return is_plain(folder / _MANIFEST)


def fault_of(folder: Path) -> str:
    """Why nothing can go on from a finished checkpoint; empty if something can.

    Raises:
        Newer: a newer ganbench wrote it.
        Shut: it can't be read.
    """
    from ganbench.checkpoint_files import fault_of as fault_found  # imports torch

    odd = [path.name for path in listed(folder) if not is_plain(path)]
    if odd:
        return f"'{odd[0]}' is no plain file"
    for name, shape in ((_MANIFEST, shapes.MANIFEST), ("progress.json", shapes.ANY)):
        try:
            read_record(folder / name, shape)
        except Damaged as error:
            return f"'{name}': {error}"
    fault = fault_found(folder)
    if fault is not None and isinstance(fault.__cause__, PermissionError):
        raise Shut(str(fault.__cause__))
    return "" if fault is None else str(fault)


def checkpoint_findings(root: Path, *, has_result: bool) -> Iterator[Finding]:
    """What is wrong in the folder of a run's checkpoints.

    Nothing is lost by one that is not the last: deleting it may have been cut short.
    """
    for folder in listed(root):
        if not is_folder(folder):
            aside = (partial(set_aside, folder),)
            yield Finding(folder, "it is no checkpoint", "set aside", aside)
    needed = not has_result
    for folder in checkpoints(root):
        removal = (partial(delete, folder),)
        if not is_finished(folder):
            if is_old(folder):
                what = "writing it was cut short"
                yield Finding(folder, what, "deleted", removal, loses=False)
        elif fault := fault_of(folder):
            yield Finding(folder, f"it is unsound: {fault}", "deleted", removal, loses=needed)
        else:
            needed = False
