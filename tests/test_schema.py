"""A store as an earlier version left it, made by `scripts/make_store_fixture.py`, stays readable.

What needs the plugins of that version is left out, saying so, where theirs have changed since; so
it is in a checkout, where each change of any file makes them others.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import ganbench
from ganbench.checkpoint_files import Checkpoints
from ganbench.errors import BadInput, StoreError
from ganbench.executors import worker
from ganbench.executors.job import Job
from ganbench.experiment import from_recipe
from ganbench.results import Results
from ganbench.store import RunFolder, Store
from ganbench.tables import FORMATS
from ganbench.upkeep.check import check

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(params=[path.name for path in sorted(FIXTURES.glob("store-schema-*"))])
def store(request, tmp_path) -> Path:
    shutil.copytree(FIXTURES / request.param, tmp_path / "store")
    return tmp_path / "store"


def the(store: Path, status: str) -> RunFolder:
    (folder,) = [folder for folder in Store(store).runs() if folder.status == status]
    return folder


def evaluated(folder: RunFolder) -> list[dict]:
    return [event for event in folder.events() if event["event"] == "evaluated"]


def findings(store: Path) -> list:
    return [finding for checked in check(store) for finding in checked.findings]


def test_there_is_one_of_each_schema():
    names = {path.name for path in FIXTURES.iterdir()}
    assert names >= {f"store-schema-{n}" for n in range(1, worker.SCHEMA + 1)}


def test_nothing_in_it_is_wrong(store):
    assert findings(store) == []


def test_it_is_tabled(store):
    results = Results(store)
    table = results.table()
    assert sorted(table["finished"]) == [0, 0, 1]
    (final,) = table["final"].dropna()
    ((metric, value),) = evaluated(the(store, "completed"))[-1]["metrics"].items()
    assert final == value
    assert sorted(results.runs()["outcome"]) == ["completed", "diverged", "interrupted"]
    assert set(results.frame()["metric"]) >= {metric, "generator_loss"}
    assert (table["images_per_second"] > 0).sum() == 2
    for form in FORMATS.values():
        assert "gaussian:size=500" in form(table)


def test_it_is_scored_again(store, tmp_path):
    folder = the(store, "completed")
    try:
        report = ganbench.evaluate(folder.key, store=store, data_folder=tmp_path, device="cpu")
    except BadInput as error:
        pytest.skip(str(error))
    expected = evaluated(folder)[-1]["metrics"]
    found = dict(zip(report.scores["metric"], report.scores["value"], strict=True))
    assert found == pytest.approx(expected, rel=1e-4)


def test_its_interrupted_run_goes_on(store, bundled, tmp_path):
    folder = the(store, "interrupted")
    try:
        from_recipe(folder.recipe(), bundled)
    except BadInput as error:
        pytest.skip(str(error))
    job = Job("run", folder.key, str(store), str(tmp_path))
    worker.train_and_score(job, Store(store))
    outcome = folder.outcome()
    assert outcome["outcome"] == "completed", outcome
    assert outcome["attempt"] == 2
    (resumed,) = [line for line in folder.attempts() if line["event"] == "resumed"]
    assert 0 < resumed["generator_steps"] < outcome["generator_steps"] == 2000
    assert findings(store) == []


def made_newer(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "schema": 99}))


WORK: dict[str, Callable[[Path], object]] = {
    "run": lambda path: ganbench.run("nonsat", store=path),
    "load": ganbench.load,
    "evaluate": lambda path: ganbench.evaluate("1", store=path),
    "check": lambda path: list(check(path)),
}


@pytest.mark.parametrize("name", WORK)
def test_a_newer_store_is_refused(store, name):
    made_newer(store / "store.json")
    with pytest.raises(StoreError) as refused:
        WORK[name](store)
    assert str(refused.value) == (
        f"'{store}' is a store of schema 99; this ganbench reads schema {worker.SCHEMA}.\n"
        "  A newer ganbench made it: upgrade this one."
    )


@pytest.mark.parametrize("name", ["outcome.json", "recipe.json"])
def test_a_run_of_a_newer_schema_is_refused(store, name):
    folder = the(store, "completed")
    made_newer(folder.path / name)
    with pytest.raises(StoreError, match=r"a newer ganbench wrote it \(schema 99\): upgrade"):
        folder.outcome() if name == "outcome.json" else folder.recipe()
    with pytest.warns(UserWarning, match="a newer ganbench wrote it"):
        assert "completed" not in set(Results(store).runs()["outcome"])
    assert [str(found) for found in findings(store)] == [
        f"{folder.path}: it is of schema 99, and this ganbench reads schema {worker.SCHEMA};"
        " upgrade ganbench"
    ]


def test_a_checkpoint_of_a_newer_schema_is_refused_and_stays(store):
    folder = the(store, "interrupted")
    last = max(folder.checkpoints_path.iterdir())
    made_newer(last / "manifest.json")
    with pytest.raises(StoreError, match="a checkpoint of a newer schema than 1: upgrade"):
        list(Checkpoints(folder.checkpoints_path).sound())
    assert last.is_dir()
    (found,) = findings(store)
    assert "upgrade ganbench" in str(found)
