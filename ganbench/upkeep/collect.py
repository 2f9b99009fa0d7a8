"""The tables of a store as files in it."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ganbench.files import write_atomically
from ganbench.results import Results
from ganbench.store import RESULTS
from ganbench.tables import FORMATS
from ganbench.upkeep.acts import refuse_link

_SUFFIXES = {"csv": "csv", "json": "json", "markdown": "md"}
_FORMS = {"runs": ("csv", "json"), "frame": ("csv", "json"), "table": tuple(_SUFFIXES)}


def collect(results: Results) -> Iterator[Path]:
    """Write the table, the runs and the frame of a store to its `tables`; yield each file.

    Raises:
        StoreError: one can't be written.
    """
    folder = results.path / "tables"
    refuse_link(folder)
    frames = {"runs": results.runs(), "frame": results.frame(), "table": results.table()}
    for name, forms in _FORMS.items():
        frame = frames[name]
        for form in forms:
            path = folder / f"{name}.{_SUFFIXES[form]}"
            write_atomically(path, FORMATS[form](frame).rstrip("\n").encode() + b"\n")
            yield path


def without_result(results: Results) -> pd.DataFrame:
    """The rows of runs that are not in the means of the table, and did not diverge."""
    runs = results.runs()
    return runs[~runs["outcome"].isin([str(outcome) for outcome in RESULTS])]
