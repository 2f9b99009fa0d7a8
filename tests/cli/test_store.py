"""`ganbench store` on a store of two runs, made without training."""

import json
import os
import subprocess
import sys
from io import StringIO

import pytest

from ganbench.store import Outcome, Store
from ganbench.upkeep import keys

PART = {
    "name": "p", "fields": {}, "text": "p", "short": "p", "version": 1, "distribution": "d",
    "source": None,
}  # fmt: skip


def recipe(seed: int) -> dict:
    parts = dict.fromkeys(("loss", "architecture", "schedule", "protocol"), PART)
    made = {
        **parts, "schema": 1, "harness": 2, "penalties": [], "objective": "p", "metrics": [],
        "dataset": {**PART, "fingerprint": "f"}, "seed": seed, "machine": None,
    }  # fmt: skip
    (key, cell), *_ = keys._keys(made)
    return {**made, "key": key, "cell": cell}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A store in the working folder: a run that diverged, and one that was never begun."""
    store = Store(tmp_path / "results", create=True)
    folders = []
    for seed in (0, 1):
        planned = recipe(seed)
        folders.append(store.run(planned["key"]))
        folders[-1].plan(planned)
    diverged = folders[0]
    diverged.begin_attempt()
    diverged.append_event({"event": "started", "schema": 1, "columns": []})
    diverged.finish(Outcome.DIVERGED, attempt=1, step=3, generator_steps=3, error="at step 3")
    return store


def diverged(results):
    return next(folder for folder in results.runs() if folder.has_result)


def left(results):
    path = diverged(results).path / ".unfinished-a"
    path.write_bytes(b"\0" * 2**20)
    os.utime(path, (0, 0))
    return path


def test_check_says_that_a_store_is_sound(ganbench, results):
    ran = ganbench("store", "check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "runs: 2 (1 diverged, 1 not started)\n"


def test_checking_a_store_without_checkpoints_imports_nothing_heavy(results):
    code = (
        "import sys; from ganbench.cli import cli;"
        f"cli.main(['store', 'check', {str(results.path)!r}], standalone_mode=False);"
        "print([m for m in ('torch', 'pandas', 'scipy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_check_notes_what_loses_nothing(ganbench, results):
    path = left(results)
    ran = ganbench("store", "check", "results")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{path.relative_to(results.path.parent)}: writing it was cut short; to be deleted",
        "runs: 2 (1 diverged, 1 not started)",
        "found: 1, of which 0 lose something",
        "mend what can be mended with: ganbench store repair results",
    ]


def test_check_and_repair_of_what_loses_something(ganbench, results):
    outcome = diverged(results).path / "outcome.json"
    outcome.write_text("[]")
    ran = ganbench("store", "check", results.path)
    assert ran.code == 1
    found = f"{outcome}: it is no JSON object; "
    remedy = "set aside: the run goes on from a checkpoint, or begins anew"
    assert ran.out.splitlines() == [
        f"{found}to be {remedy}",
        "runs: 2 (1 not started, 1 unreadable)",
        "found: 1, of which 1 lose something",
        f"mend what can be mended with: ganbench store repair {results.path}",
    ]
    ran = ganbench("store", "repair", results.path, "--dry-run")
    assert (ran.code, ran.out) == (0, f"{found}to be {remedy}\nto be mended: 1\n")
    assert outcome.read_text() == "[]"
    ran = ganbench("store", "repair", results.path)
    assert (ran.code, ran.out) == (0, f"{found}{remedy}\nmended: 1\n")
    ran = ganbench("store", "repair", results.path)
    assert (ran.code, ran.out) == (0, "mended: 0\n")
    assert ganbench("store", "check", results.path).code == 0


def test_repair_says_what_it_leaves(ganbench, results):
    outcome = diverged(results).path / "outcome.json"
    outcome.write_text(json.dumps({**json.loads(outcome.read_text()), "schema": 2}))
    ran = ganbench("store", "repair")
    assert ran.code == 1
    assert "this ganbench reads schema 1; left: upgrade ganbench\nmended: 0\n" in ran.out


@pytest.mark.parametrize("command", ["check", "repair", "collect", "gc"])
def test_what_is_no_store_is_one_message(ganbench, tmp_path, command):
    for path in ("results", "nowhere", "file"):
        (tmp_path / "file").touch()
        ran = ganbench("store", command, *(() if path == "results" else (path,)))
        assert ran.code == 2
        assert f"'{path}' is no ganbench store" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("command", ["check", "repair", "collect", "gc"])
def test_a_newer_store_is_refused(ganbench, results, command):
    (results.path / "store.json").write_text('{"schema": 2}')
    ran = ganbench("store", command)
    assert ran.code == 2
    assert "this ganbench reads schema 1" in ran.err
    assert "upgrade" in ran.err


def test_collect_names_files_and_runs_without_a_result(ganbench, results):
    ran = ganbench("store", "collect")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert "wrote results/tables/table.md" in lines
    (no_result,) = [line for line in lines if not line.startswith("wrote")]
    assert no_result.startswith("no result of ")
    assert "p on p, seed 1: not" in no_result


def test_gc_with_nobody_to_ask_removes_nothing(ganbench, results):
    path = left(results)
    ran = ganbench("store", "gc")
    assert ran.code == 2
    assert ran.out == "files whose writing was cut short: 1 files, 1.0 MiB\n"
    assert "--yes" in ran.err
    assert path.exists()
    ran = ganbench("store", "gc", "--yes")
    assert ran.code == 0
    assert ran.out.endswith("MiB\nremoved\n")
    assert not path.exists()
    assert ganbench("store", "gc").out == "nothing to remove\n"


@pytest.mark.parametrize(("answer", "goes"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_gc_asks(ganbench, results, monkeypatch, answer, goes):
    class Terminal(StringIO):
        def isatty(self):
            return True

    path = left(results)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    ran = ganbench("store", "gc")
    assert ran.code == 0
    assert "Remove them?" in ran.out
    assert path.exists() is not goes


def test_gc_with_ctrl_c_removes_nothing(ganbench, results, monkeypatch):
    class Terminal(StringIO):
        def isatty(self):
            return True

    path = left(results)
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert ganbench("store", "gc").code == 130
    assert path.exists()
