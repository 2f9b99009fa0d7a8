import json
import os
import shutil

import pytest

from ganbench.errors import StoreError
from ganbench.store import RunFolder
from ganbench.upkeep import acts, reading
from ganbench.upkeep import store as parts
from ganbench.upkeep.check import check
from ganbench.upkeep.repair import repair

BUSY = "somebody is writing in it, or was until lately"


def findings(store):
    return [finding for checked in check(store.path) for finding in checked.findings]


def statuses(store):
    return sorted(checked.status for checked in check(store.path) if checked.status)


def told(store):
    return [str(repaired) for repaired in repair(store.path)]


def scores(folder: RunFolder):
    evaluated = [event for event in folder.events() if event["event"] == "evaluated"]
    return [(event["generator_steps"], event["metrics"]) for event in evaluated]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def uninterrupted(store, go_on):
    """The scores of the interrupted run as they are where nothing is damaged."""
    folder = store.run("interrupted")
    shutil.copytree(folder.path, store.path / "before")
    go_on(folder)
    found = scores(folder)
    shutil.rmtree(folder.path)
    (store.path / "before").rename(folder.path)
    assert [steps for steps, _ in found] == [0, 10, 20]
    return found


@pytest.mark.parametrize("line", [0, 1, 3, -2])
def test_a_run_with_damaged_events_goes_on_to_the_same_end(store, uninterrupted, go_on, line):
    """From the last checkpoint whose events are there, or anew where there is none."""
    folder = store.run("interrupted")
    events = folder.path / "events.jsonl"
    lines = events.read_bytes().split(b"\n")
    lines[line] = lines[line][:7]
    events.write_bytes(b"\n".join(lines))
    damaged = events.read_bytes()
    (done,) = told(store)
    assert "the run goes on from a checkpoint, or begins anew" in done
    assert (folder.path / "events.jsonl.damaged-1").read_bytes() == damaged
    assert events.read_bytes() == b"".join(each + b"\n" for each in lines[:line])
    go_on(folder)
    assert scores(folder) == uninterrupted


@pytest.mark.parametrize("name", ["state.safetensors", "progress.json"])
def test_an_unsound_checkpoint_goes_and_a_sound_one_stays(store, uninterrupted, go_on, name):
    folder = store.run("interrupted")
    checkpoint = folder.checkpoints_path / "0000000011"
    content = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(content.replace(b"1", b"2", 1))
    (done,) = told(store)
    assert done.endswith("; deleted")
    assert names(folder.checkpoints_path) == ["0000000010"]
    go_on(folder)
    assert scores(folder) == uninterrupted


@pytest.mark.parametrize("name", ["events.jsonl", "generator.safetensors"])
def test_a_damaged_result_is_done_again(store, go_on, name):
    folder = store.run("completed")
    before = scores(folder)
    content = (folder.path / name).read_bytes()
    (folder.path / name).write_bytes(content[:-50])
    outcome = (folder.path / "outcome.json").read_bytes()
    dones = told(store)
    assert all("its outcome: the run will be done again" in done for done in dones)
    assert (folder.path / "outcome.json.damaged-1").read_bytes() == outcome
    assert (folder.path / f"{name}.damaged-1").read_bytes() == content[:-50]
    assert folder.status == "interrupted"
    go_on(folder)
    assert folder.status == "completed"
    assert scores(folder) == before
    assert statuses(store) == ["completed", "diverged", "interrupted"]
    assert findings(store) == []


def test_an_unreadable_outcome_is_set_aside_each_time_under_a_name_of_its_own(store):
    folder = store.run("diverged")
    for number in (1, 2):
        (folder.path / "outcome.json").write_text(str(number))
        told(store)
        assert (folder.path / f"outcome.json.damaged-{number}").read_text() == str(number)
        assert folder.status == "interrupted"


def test_runs_without_a_recipe_are_moved_each_to_a_name_of_its_own(store):
    folder = store.run("completed")
    before = names(folder.path)
    shutil.copytree(folder.path, store.path / "copy")
    (folder.path / "recipe.json").write_text("{}")
    (done,) = told(store)
    assert done.startswith(str(folder.path / "recipe.json"))
    assert names(store.path / "damaged" / folder.key) == before
    (store.path / "copy").rename(folder.path)
    (folder.path / "recipe.json").unlink()
    told(store)
    assert names(store.path / "damaged") == [folder.key, f"{folder.key}-1"]
    assert names(store.path / "damaged" / f"{folder.key}-1") == sorted({*before} - {"recipe.json"})
    assert statuses(store) == ["diverged", "interrupted"]


def test_a_folder_that_was_only_just_made_is_no_loss_and_stays(store):
    path = store.path / "runs" / ("0" * 64)
    path.mkdir()
    (path / ".unfinished-recipe.json-1").touch()
    (found,) = findings(store)
    assert not found.loses
    assert "planning it was cut short" in str(found)
    assert told(store) == []
    assert path.is_dir()


def test_what_is_being_written_just_now_stays(store):
    for folder in (store.path, store.run("completed").path, store.path / "throughput"):
        (folder / ".unfinished-x").touch()
    assert findings(store) == []
    assert told(store) == []


def test_superseding_that_was_cut_short_is_finished(store):
    folder = store.run("diverged")
    folder.begin_attempt()
    path = folder.path / "outcome.json"
    outcome = path.read_bytes()
    folder.supersede(1)
    path.write_bytes(outcome)
    told(store)
    assert folder.status == "interrupted"
    (ended,) = folder.superseded()
    assert {**ended, **json.loads(outcome)} == ended


NEWER = {
    "outcome.json": ("completed", "outcome.json", {}),
    "recipe.json": ("completed", "recipe.json", {"loss": []}),
    "environment.json": ("completed", "environment.json", {}),
    "manifest": ("interrupted", "checkpoints/0000000011/manifest.json", {"sha256": 1}),
    "progress": ("interrupted", "checkpoints/0000000011/progress.json", {}),
}


@pytest.mark.parametrize("name", NEWER)
def test_a_run_of_a_newer_ganbench_is_told_and_left(store, contents, name):
    run, file, more = NEWER[name]
    folder = store.run(run)
    path = folder.path / file
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "schema": 2, **more}))
    (folder.path / "samples" / "00000000.png").write_text("damaged too")
    before = contents(store.path)
    (found,) = findings(store)
    assert str(found) == (
        f"{folder.path}: it is of schema 2, and this ganbench reads schema 1; upgrade ganbench"
    )
    assert found.loses
    assert "of a newer ganbench" in statuses(store)
    (left,) = repair(store.path)
    assert left.left == "left: upgrade ganbench"
    assert contents(store.path) == before


@pytest.mark.parametrize("file", ["attempts.jsonl", "events.jsonl", "evaluations.jsonl"])
def test_lines_of_a_newer_ganbench_are_left(store, contents, file):
    with (store.run("completed").path / file).open("a") as lines:
        lines.write('{"schema": 2}\n')
    before = contents(store.path)
    assert "upgrade ganbench" in told(store)[0]
    assert contents(store.path) == before


def test_a_store_of_a_newer_ganbench_is_refused(store, contents):
    (store.path / "store.json").write_text('{"schema": 2}')
    before = contents(store.path)
    for work in (check, repair):
        with pytest.raises(StoreError, match="schema 2; this ganbench reads schema 1"):
            list(work(store.path))
    assert contents(store.path) == before


@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_a_folder_that_is_no_store_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "store.json").write_text(content)
    for work in (check, repair):
        with pytest.raises(StoreError):
            list(work(tmp_path))


def damage(folder):
    (folder.path / "outcome.json").write_text("damaged")
    (folder.path / ".unfinished-x").touch()
    os.utime(folder.path / ".unfinished-x", (0, 0))


def test_a_run_that_somebody_is_doing_is_left(store, contents):
    folder = store.run("completed")
    damage(folder)
    with folder.lease():
        before = contents(store.path)
        assert findings(store) == []
        assert statuses(store) == ["diverged", "interrupted", "running"]
        assert told(store) == [
            f"{folder.path}: somebody is writing in it, or was until lately; left"
        ]
        assert contents(store.path) == before
    assert len(told(store)) == 2


def test_a_run_that_somebody_begins_meanwhile_is_left(store, contents, monkeypatch):
    """Between looking whether it is free and taking its lease."""
    folder = store.run("completed")
    damage(folder)
    with folder.lease():
        monkeypatch.setattr(parts, "is_live", lambda _: False)
        monkeypatch.setattr(parts, "lease_findings", lambda _: iter(()))
        before = contents(store.path)
        assert told(store) == [
            f"{folder.path}: somebody is writing in it, or was until lately; left"
        ]
        assert contents(store.path) == before


def test_speeds_are_left_while_a_cell_is_timed(store, contents):
    from filelock import FileLock

    (path,) = (store.path / "throughput").glob("*.json")
    path.write_text("damaged")
    with FileLock(store.path / "throughput" / "lock"):
        before = contents(store.path)
        assert told(store) == [
            f"{path.parent}: somebody is writing in it, or was until lately; left"
        ]
        assert contents(store.path) == before
    assert len(told(store)) == 1


def test_the_lease_of_a_process_that_is_gone_is_noted_and_does_not_matter(store):
    folder = store.run("interrupted")
    lease = folder.lease()
    lease.acquire()
    stale = (folder.path / "lease").read_bytes()
    lease.release()
    (folder.path / "lease").write_bytes(stale.replace(str(os.getpid()).encode(), b"999999999"))
    os.utime(folder.path / "lease", (0, 0))
    (found,) = findings(store)
    assert not found.loses
    assert "is gone" in found.what
    assert told(store) == []
    damage(folder)
    assert len(told(store)) == 2
    assert findings(store) == []


@pytest.mark.parametrize("name", ["events.jsonl", "outcome.json", "recipe.json", "manifest.json"])
def test_what_may_not_be_read_is_told_and_left(store, contents, monkeypatch, name):
    """It may be sound: the user, or the disk, is what is wrong."""
    opened = os.open

    def refuse(path, *rest, **more):
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest, **more)

    before = contents(store.path)
    monkeypatch.setattr(reading.os, "open", refuse)
    found = findings(store)
    assert found
    assert all(f.loses and not f.acts and "Permission denied" in f.what for f in found)
    assert all("see to its permissions" in done for done in told(store))
    assert contents(store.path) == before


@pytest.mark.parametrize("call", range(1, 8))
def test_repairing_that_was_cut_short_is_finished_by_the_next(store, monkeypatch, call):
    """Whatever step a crash comes before."""
    for run, name in (
        ("completed", "generator.safetensors"),
        ("completed", "samples/00000010.png"),
        ("diverged", "recipe.json"),
        ("interrupted", "checkpoints/0000000011/progress.json"),
    ):
        (store.run(run).path / name).write_text("damaged")
    events = store.run("interrupted").path / "events.jsonl"
    events.write_bytes(events.read_bytes() + b"damaged\n")
    attempts = store.run("interrupted").path / "attempts.jsonl"
    attempts.write_bytes(b"damaged\n" + attempts.read_bytes())
    calls = 0

    def crashing(step):
        def do(*given, **more):
            nonlocal calls
            calls += 1
            if calls == call:
                raise KeyboardInterrupt
            return step(*given, **more)

        return do

    with monkeypatch.context() as patch:
        patch.setattr(acts.Path, "rename", crashing(acts.Path.rename))
        patch.setattr(acts.os, "link", crashing(os.link))
        patch.setattr(acts.files, "write_atomically", crashing(acts.files.write_atomically))
        patch.setattr(acts, "rmtree", crashing(shutil.rmtree))
        with pytest.raises(KeyboardInterrupt):
            told(store)
    told(store)
    assert told(store) == []
    assert not any(finding.loses for finding in findings(store))
    assert len(attempts.read_bytes().splitlines()) == 1
    assert statuses(store) == ["interrupted", "interrupted"]


@pytest.mark.parametrize("name", ["runs", "throughput", "tables", "damaged"])
def test_nothing_is_done_behind_a_link_to_another_store(store, contents, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(store.path, elsewhere)
    (elsewhere / name).mkdir(exist_ok=True)
    for path in elsewhere.rglob("*.json"):
        path.write_text("damaged")
    if (store.path / name).exists():
        shutil.rmtree(store.path / name)
    (store.path / name).symlink_to(elsewhere / name)
    before = contents(elsewhere)
    (found,) = findings(store)
    assert str(found) == (
        f"{store.path / name}: it is a link, and in a store none is followed; put what it leads to"
        " in its place"
    )
    told(store)
    assert contents(elsewhere) == before


def test_no_run_is_moved_through_a_link(store, tmp_path):
    (store.path / "damaged").symlink_to(tmp_path)
    (store.run("completed").path / "recipe.json").write_text("damaged")
    with pytest.raises(StoreError, match=r"'.*damaged' is a link"):
        told(store)


def test_files_of_a_file_manager_are_nobodys_business(store, contents):
    (store.path / "runs" / ".DS_Store").touch()
    (store.path / "README.md").touch()
    (store.run("completed").path / "notes.txt").touch()
    before = contents(store.path)
    assert findings(store) == []
    assert told(store) == []
    assert contents(store.path) == before


def test_a_disk_that_is_full_is_one_message(store, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    (store.run("completed").path / "outcome.json").write_text("damaged")
    monkeypatch.setattr(acts.Path, "rename", full)
    with pytest.raises(StoreError, match=r"outcome\.json' can't be mended: No space left"):
        told(store)
