import errno
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from filelock import SoftFileLease, Timeout

from ganbench import files, store
from ganbench.checkpoint_files import Checkpoints
from ganbench.errors import StoreError
from ganbench.files import read_json, write_json
from ganbench.store import Outcome, RunFolder, Store


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    run = Store(tmp_path / "store", create=True).run("abc")
    run.plan({"seed": 1})
    return run


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
            f"'{tmp_path}' is a store of schema 2; this ganbench reads schema 1.\n"
            "  A newer ganbench made it: upgrade this one."
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

    monkeypatch.setattr(files.os, "fsync", fail)
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
    assert read_json(folder.path / "environment.json")["schema"] == 1


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


def test_a_run_begun_anew_forgets_what_was_left(folder):
    folder.append_event({"n": 1})
    folder.save_picture(5, b"png")
    folder.save_generator(b"weights")
    (folder.checkpoints_path / "0000000001").mkdir(parents=True)
    folder.begin_anew()
    assert folder.events() == []
    assert entries(folder.path) == ["events.jsonl", "recipe.json", "samples"]
    assert folder.pictures() == []


def test_going_on_forgets_what_happened_after_the_checkpoint(folder):
    folder.append_event({"n": 1})
    size = folder.events_size
    folder.append_event({"n": 2})
    for steps in (0, 5, 6):
        folder.save_picture(steps, b"png")
    folder.go_on_from(size, 5)
    assert folder.events() == [{"n": 1}]
    assert [path.name for path in folder.pictures()] == ["00000000.png", "00000005.png"]


def test_attempts_are_numbered_and_keep_the_outcomes_that_others_did_away_with(folder):
    assert folder.begin_attempt() == 1
    folder.finish(Outcome.CRASHED, attempt=1, signal=9)
    assert folder.begin_attempt() == 2
    folder.supersede(7)
    assert folder.outcome()["attempt"] == 1
    folder.supersede(1)
    assert folder.outcome() is None
    (ended,) = folder.superseded()
    assert (ended["attempt"], ended["outcome"], ended["signal"]) == (1, "crashed", 9)
    assert [line["event"] for line in folder.attempts()] == ["began", "began", "ended"]


def test_an_outcome_is_noted_once_though_doing_away_with_it_was_cut_short(folder, monkeypatch):
    folder.begin_attempt()
    folder.finish(Outcome.CRASHED, attempt=1)
    with monkeypatch.context() as patched:
        patched.setattr(store, "remove", lambda _: None)
        folder.supersede(1)
    assert folder.outcome() is not None
    folder.supersede(1)
    assert folder.outcome() is None
    assert len(folder.superseded()) == 1


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"signal": 9}, {"signal": 9}, True),
        ({"signal": 9}, {"signal": 11}, False),
        ({"exit_code": 1, "error": "a"}, {"exit_code": 1, "error": "b"}, True),
        ({"type": "ValueError", "plugin": "x"}, {"type": "ValueError", "plugin": "x"}, True),
        ({"type": "ValueError", "plugin": "x"}, {"type": "KeyError", "plugin": "x"}, False),
    ],
)
def test_what_failed_twice_in_the_same_way(folder, first, second, same):
    for number, details in enumerate((first, second), 1):
        folder.begin_attempt()
        folder.supersede(number - 1)
        assert not folder.failed_twice
        folder.finish(Outcome.CRASHED, attempt=number, **details)
    assert folder.failed_twice is same


def test_a_failure_whose_replacement_was_cut_short_is_one_failure(folder, monkeypatch):
    folder.begin_attempt()
    folder.finish(Outcome.CRASHED, attempt=1, signal=9)
    monkeypatch.setattr(store, "remove", lambda _: None)
    folder.supersede(1)
    assert not folder.failed_twice


def test_the_status_of_a_run_without_an_outcome(folder):
    assert folder.status == "not started"
    folder.begin_attempt()
    assert folder.status == "interrupted"
    with folder.lease():
        assert folder.status == "running"
    assert folder.status == "interrupted"
    folder.finish(Outcome.DIVERGED)
    assert folder.status == "diverged"


def test_a_killed_holder_of_a_lease_is_not_running_and_the_lease_can_be_had(folder):
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from ganbench.store import RunFolder\n"
        "folder = RunFolder(Path(sys.argv[1]))\n"
        "lease = folder.lease()\n"
        "lease.acquire()\n"
        "folder.begin_attempt()\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    assert folder.status == "running"
    with pytest.raises(Timeout), folder.lease():
        pass
    holder.kill()
    holder.wait()
    assert folder.status == "interrupted"
    with folder.lease():
        assert folder.status == "running"


def test_what_was_being_written_is_swept_away(folder):
    (folder.path / f"{files.UNFINISHED}x").touch()
    (folder.path / "samples").mkdir()
    (folder.path / "samples" / f"{files.UNFINISHED}y").touch()
    folder.sweep()
    assert entries(folder.path) == ["recipe.json", "samples"]
    assert entries(folder.path / "samples") == []


def test_pictures_are_in_the_order_of_training(folder):
    for steps in (10, 9, 1000):
        folder.save_picture(steps, b"png")
    names = ["00000009.png", "00000010.png", "00001000.png"]
    assert [path.name for path in folder.pictures()] == names


def test_throughputs(tmp_path):
    store = Store(tmp_path, create=True)
    assert store.throughputs() == []
    write_json(store.throughput_path("cell", "machine"), {"cell": "cell"})
    assert store.throughputs() == [{"cell": "cell"}]
    assert entries(tmp_path / "throughput") == ["cell-machine.json"]


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("ganbench.lease._NAMELESS_SECONDS", 0.1)


@pytest.mark.usefixtures("soon")
def test_a_lease_whose_holder_was_killed_before_it_was_named_is_taken_over(folder):
    path = folder.path / "lease"
    path.touch()
    lease, other = folder.lease(), folder.lease()
    for each in (lease, other):
        with pytest.raises(Timeout):
            each.acquire()
    time.sleep(0.11)
    with lease:
        assert path.stat().st_size
        with pytest.raises(Timeout):
            other.acquire()
    with other.acquire(timeout=5.0):
        pass
    assert not path.exists()


@pytest.mark.usefixtures("soon")
def test_one_that_is_just_being_made_is_not_taken(folder):
    path = folder.path / "lease"
    path.touch()
    lease = folder.lease()
    with pytest.raises(Timeout):
        lease.acquire()
    time.sleep(0.11)
    path.unlink()
    path.touch()  # another holder's
    with pytest.raises(Timeout):
        lease.acquire()
    assert path.exists()


@pytest.mark.parametrize("when", ["open", "unlink"])
def test_a_lease_that_cannot_be_written_is_said(folder, monkeypatch, when):
    lease = folder.lease()
    if when == "unlink":
        lease.acquire()

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SoftFileLease, "_acquire" if when == "open" else "_release", fail)
    with pytest.raises(StoreError, match=r"lease' can't be written: No space left on device$"):
        lease.acquire() if when == "open" else lease.release()
    monkeypatch.undo()
    lease.release()


def test_a_store_that_was_being_made_is_made(tmp_path):
    (tmp_path / ".unfinished-store.json-0123456789ab").write_bytes(b'{"sch')
    Store.check(tmp_path)
    assert Store(tmp_path, create=True).throughputs() == []


def test_a_run_with_a_result_keeps_no_checkpoints(folder):
    (folder.checkpoints_path / "0000000010").mkdir(parents=True)
    leftover = folder.path / ".unfinished-outcome.json-0123456789ab"
    leftover.touch()
    folder.tidy()
    folder.finish(Outcome.CRASHED)
    folder.tidy()
    assert folder.checkpoints_path.exists()
    (folder.path / "outcome.json").unlink()
    folder.finish(Outcome.COMPLETED)
    with folder.lease():
        folder.tidy()  # somebody is at it
        assert leftover.exists()
    folder.tidy()
    assert entries(folder.path) == ["outcome.json", "recipe.json"]


class Lost(BaseException):
    """Stands for the end of a process."""


def test_a_holder_that_lost_its_lease_writes_nothing_more(folder):
    def lost(_):
        raise Lost

    lease = folder.lease(on_lost=lost)
    held = folder.held_by(lease)
    assert held == folder
    with lease:
        held.append_event({"event": "mine"})
        path = folder.path / "lease"
        own = path.read_text()
        path.write_text(own.replace(lease.token, "0" * 32))
        before = entries(folder.path)
        for write in (
            lambda: held.append_event({"event": "late"}),
            lambda: held.go_on_from(0, 0),
            lambda: held.save_generator(b""),
            lambda: held.save_picture(1, b""),
            lambda: held.finish(Outcome.COMPLETED),
            held.begin_anew,
            lambda: Checkpoints(held.checkpoints_path, held.check_held).save(1, {}, {}),
        ):
            with pytest.raises(Lost):
                write()
        assert entries(folder.path) == before
        path.write_text(own)
        held.append_event({"event": "mine again"})
    assert [event["event"] for event in folder.events()] == ["mine", "mine again"]


def test_a_checkpoint_is_not_finished_by_a_holder_that_lost_its_lease(tmp_path):
    looks = iter([True, True, False])

    def check():
        if not next(looks):
            raise Lost

    checkpoints = Checkpoints(tmp_path, check)
    with pytest.raises(Lost):
        checkpoints.save(1, {}, {})
    assert list(checkpoints.sound()) == []
