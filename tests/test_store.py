import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ganbench import store as store_module
from ganbench.errors import StoreError
from ganbench.store import (
    Outcome,
    RunFolder,
    Store,
    read_json,
    write_atomically,
    write_exclusively,
    write_json,
)


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    run = Store(tmp_path / "store", create=True).run("abc")
    run.plan({"seed": 1})
    return run


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert entries(path.parent) == ["file"]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, broken):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    owner = {"fsync": store_module.os, "replace": Path}[broken]
    with monkeypatch.context() as patched:
        patched.setattr(owner, broken, fail)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert entries(tmp_path) == ["file"]


def test_the_first_writer_wins(tmp_path):
    path = tmp_path / "file"
    assert write_exclusively(path, b"first") is True
    assert write_exclusively(path, b"second") is False
    assert path.read_bytes() == b"first"
    assert entries(tmp_path) == ["file"]


def test_of_two_processes_each_file_has_one_winner(tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ganbench.store import write_exclusively\n"
        "folder, name = Path(sys.argv[1]), sys.argv[2]\n"
        "while not (folder / 'go').exists(): pass\n"
        "won = [n for n in range(40) if write_exclusively(folder / str(n), name.encode() * 999)]\n"
        "print(*won)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    (tmp_path / "go").touch()
    won = {name: set(p.communicate()[0].split()) for name, p in zip("ab", started, strict=True)}
    assert [p.returncode for p in started] == [0, 0]
    assert won["a"] | won["b"] == {str(n) for n in range(40)}
    assert not won["a"] & won["b"]
    for name, numbers in won.items():
        assert all((tmp_path / n).read_text() == name * 999 for n in numbers)
    assert len(entries(tmp_path)) == 41


def test_json_is_written_to_be_read_by_people_too(tmp_path):
    write_json(tmp_path / "x.json", {"b": [1], "a": None})
    assert (tmp_path / "x.json").read_text() == '{\n "a": null,\n "b": [\n  1\n ]\n}\n'
    assert read_json(tmp_path / "x.json") == {"b": [1], "a": None}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting"),
        (b"[1]", "it is no JSON object"),
        (b"\xff", ""),
    ],
)
def test_json_that_cannot_be_read_is_named(tmp_path, content, why):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        read_json(path)
    assert str(refused.value).startswith(f"'{path}' can't be read: ")
    assert why in str(refused.value)
    with pytest.raises(StoreError, match="No such file"):
        read_json(tmp_path / "none.json")


def test_a_store_is_made_once_and_opened_again(tmp_path):
    path = tmp_path / "new" / "store"
    Store(path, create=True)
    (path / "runs" / "abc").mkdir(parents=True)
    again = Store(path, create=True)
    assert Store(path).path == again.path == path
    assert read_json(path / "store.json") == {"schema": 1}
    assert entries(path) == ["runs", "store.json"]


def test_an_empty_folder_becomes_a_store(tmp_path):
    Store.check(tmp_path)
    assert entries(tmp_path) == []
    Store(tmp_path, create=True)
    assert entries(tmp_path) == ["store.json"]


def test_checking_makes_nothing(tmp_path):
    Store.check(tmp_path / "a" / "b")
    assert entries(tmp_path) == []


def test_what_is_no_store_is_not_read(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(StoreError) as refused:
            Store(path)
        assert str(refused.value).startswith(
            f"'{path}' is no ganbench store: it has no store.json."
        )
    assert not (tmp_path / "none").exists()


def test_somebody_elses_folder_is_not_written(tmp_path):
    (tmp_path / "thesis.tex").touch()
    for call in (Store.check, lambda path: Store(path, create=True)):
        with pytest.raises(StoreError) as refused:
            call(tmp_path)
        assert str(refused.value) == (
            f"'{tmp_path}' is no ganbench store and is not empty.\n"
            "  Name a new or empty folder, or a store, with `--store FOLDER`."
        )
    assert entries(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("below", ["", "store", "deeper/store"])
def test_a_file_in_the_way_is_named(tmp_path, below):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError) as refused:
        Store.check(file / below)
    message = f"store '{file / below}' can't be made: '{file}' is no folder."
    assert str(refused.value).splitlines()[0] == message


def test_a_newer_schema_is_refused(tmp_path):
    write_json(tmp_path / "store.json", {"schema": 2})
    for create in (False, True):
        with pytest.raises(StoreError) as refused:
            Store(tmp_path, create=create)
        assert str(refused.value) == (
            f"'{tmp_path}' is a store of schema 2; this ganbench reads schema 1."
        )


@pytest.mark.parametrize(
    ("mode", "name"), [(0o555, "."), (0o555, "store"), (0o000, "."), (0o000, "deep/store")]
)
def test_a_folder_that_cannot_be_written_is_refused(mode, name):
    """In a process that gives root's rights up, if it has them."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from ganbench.errors import StoreError\n"
        "from ganbench.store import Store\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "for call in (Store.check, lambda path: Store(path, create=True)):\n"
        "    try:\n"
        "        call(Path(sys.argv[1]))\n"
        "    except StoreError as error:\n"
        "        print(str(error).splitlines()[0])\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as shut:  # the parents of tmp_path are root's
        path = Path(shut) / name
        Path(shut).chmod(mode)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
        )
        Path(shut).chmod(0o755)
    refused = f"store '{path}' can't be written: permission denied."
    assert done.stdout.splitlines() == [refused] * 2, done.stderr


def test_a_full_disk_is_said_when_the_store_is_made(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", fail)
    with pytest.raises(StoreError) as refused:
        Store(tmp_path / "store", create=True)
    message = f"store '{tmp_path / 'store'}' can't be written: No space left on device."
    assert str(refused.value).splitlines()[0] == message


def test_planning_again_takes_where_data_lie_now_until_there_is_a_result(folder):
    folder.plan({"seed": 1, "path": "/moved"})
    assert folder.recipe() == {"seed": 1, "path": "/moved"}
    folder.finish(Outcome.COMPLETED)
    folder.plan({"seed": 1, "path": "/moved again"})
    assert folder.recipe() == {"seed": 1, "path": "/moved"}
    assert folder.key == "abc"


def test_the_machine_is_that_of_the_last_attempt(folder):
    assert folder.machine() is None
    folder.save_environment({"machine": "m1"})
    assert folder.machine() == "m1"


def test_runs_are_those_with_a_recipe(tmp_path):
    store = Store(tmp_path, create=True)
    for key in ("b", "a"):
        store.run(key).plan({})
    (tmp_path / "runs" / "c").mkdir()
    assert [run.key for run in store.runs()] == ["a", "b"]


def test_events_come_back_in_order(folder):
    assert folder.events() == []
    events = [{"event": "started", "n": 1}, {"event": "é\u2028\r\n", "x": None}, {"x": 0.1}]
    for event in events:
        folder.append_event(event)
    assert folder.events() == events


def test_a_torn_last_line_is_left_out(folder):
    folder.append_event({"n": 1})
    whole = (folder.path / "events.jsonl").read_bytes()
    line = json.dumps({"n": 2, "text": "é"}, ensure_ascii=False).encode()
    for length in range(len(line) + 1):
        (folder.path / "events.jsonl").write_bytes(whole + line[:length])
        assert folder.events() == [{"n": 1}]
    (folder.path / "events.jsonl").write_bytes(whole + line + b"\n")
    assert folder.events() == [{"n": 1}, {"n": 2, "text": "é"}]


def test_a_nan_in_an_event_stays_one(folder):
    folder.append_event({"value": float("nan"), "loss": float("-inf")})
    ((value, loss),) = [event.values() for event in folder.events()]
    assert value != value
    assert loss == float("-inf")


def test_an_outcome_is_written_once(folder):
    assert folder.outcome() is None
    assert not folder.has_result
    assert folder.finish(Outcome.DIVERGED, step=7) is True
    assert folder.finish(Outcome.COMPLETED) is False
    assert folder.outcome() == {"schema": 1, "outcome": "diverged", "step": 7}
    assert folder.has_result


@pytest.mark.parametrize(
    ("outcome", "is_result"),
    [
        ("completed", True),
        ("diverged", True),
        ("out_of_memory", False),
        ("plugin_error", False),
        ("crashed", False),
    ],
)
def test_only_what_says_something_of_the_loss_is_kept(folder, outcome, is_result):
    folder.finish(Outcome(outcome))
    assert folder.has_result is is_result


def test_a_new_attempt_forgets_the_old_one(folder):
    folder.append_event({"n": 1})
    folder.picture_path(5).touch()
    folder.finish(Outcome.CRASHED)
    folder.begin_attempt()
    assert folder.events() == []
    assert folder.pictures() == []
    assert folder.outcome() is None
    assert folder.recipe() == {"seed": 1}


def test_pictures_are_in_the_order_of_training(folder):
    for steps in (10, 9, 1000):
        folder.picture_path(steps).touch()
    names = ["00000009.png", "00000010.png", "00001000.png"]
    assert [path.name for path in folder.pictures()] == names


def test_throughputs(tmp_path):
    store = Store(tmp_path, create=True)
    assert store.throughputs() == []
    write_json(store.throughput_path("cell", "machine"), {"cell": "cell"})
    assert store.throughputs() == [{"cell": "cell"}]
    assert entries(tmp_path / "throughput") == ["cell-machine.json"]
