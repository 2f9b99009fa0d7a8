import json

import pandas as pd
import pytest

from ganbench.errors import StoreError
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


def test_tables_are_not_written_through_a_link(store, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (store.path / "tables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="tables' is a link"):
        list(collect(Results(store.path)))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_damaged_run_is_a_row_or_a_warning(store):
    (store.run("completed").path / "outcome.json").write_text("[]")
    (store.run("diverged").path / "recipe.json").write_text("[]")
    with pytest.warns(UserWarning, match="ganbench store repair"):
        assert len(list(collect(Results(store.path)))) == 7
    with pytest.warns(UserWarning, match="ganbench store repair"):
        rows = without_result(Results(store.path))
    assert set(rows["outcome"]) == {"interrupted", "unreadable"}
