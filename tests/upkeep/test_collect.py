import json

import pandas as pd

from ganbench.results import Results
from ganbench.tables import FORMATS
from ganbench.upkeep.collect import collect, without_result


def test_the_tables_are_files_that_say_what_results_say(store):
    results = Results(store.path)
    files = list(collect(results))
    folder = store.path / "tables"
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in files)
    names = {
        "table.csv",
        "table.json",
        "table.md",
        "runs.csv",
        "runs.json",
        "frame.csv",
        "frame.json",
    }
    assert {path.name for path in files} == names
    runs, frame, table = results.runs(), results.frame(), results.table()
    assert list(pd.read_csv(folder / "runs.csv")["run"]) == list(runs["run"])
    pd.testing.assert_series_equal(pd.read_csv(folder / "frame.csv")["value"], frame["value"])
    assert list(pd.read_csv(folder / "table.csv").columns) == list(table.columns)
    for name, rows in (("runs", runs), ("frame", frame), ("table", table)):
        assert len(json.loads((folder / f"{name}.json").read_text())) == len(rows)
    assert (folder / "table.md").read_text().strip() == FORMATS["markdown"](table).strip()


def test_collecting_again_replaces_them(store):
    results = Results(store.path)
    list(collect(results))
    before = {path: path.read_bytes() for path in (store.path / "tables").iterdir()}
    for path in before:
        path.write_text("old")
    list(collect(results))
    assert {path: path.read_bytes() for path in (store.path / "tables").iterdir()} == before


def test_runs_without_a_result_are_known(store):
    rows = without_result(Results(store.path))
    assert list(rows["run"]) == [store.interrupted]
