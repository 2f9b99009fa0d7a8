import os
import shutil

import pytest

from ganbench.errors import StoreError
from ganbench.files import UNFINISHED
from ganbench.upkeep.removable import CUT_SHORT, DAMAGED, OF_OTHERS, OF_RESULTS, Wanted
from ganbench.upkeep.removal import remove, survey, totals
from ganbench.upkeep.repair import repair

NOTHING_MORE = Wanted()
EVERYTHING = Wanted(failed=True, damaged=True)


def gc(store, wanted=NOTHING_MORE):
    """Remove; the kinds of what went, each with its files and bytes."""
    found = survey(store.path, wanted)
    sizes = totals([item for each in found for item in each.items])
    assert list(remove(found, wanted)) == []
    assert survey(store.path, wanted) == []
    return sizes


def checkpoint_names(store, run="interrupted"):
    return sorted(path.name for path in store.run(run).checkpoints_path.iterdir())


def old(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"12345")
    os.utime(path, (0, 0))


def test_of_a_store_that_was_run_nothing_goes(store, contents):
    before = contents(store.path)
    assert gc(store) == {}
    assert gc(store, Wanted(damaged=True)) == {}
    assert contents(store.path) == before


def test_checkpoints_that_a_result_left_go(store, go_on):
    shutil.copytree(
        store.run("interrupted").checkpoints_path, store.run("completed").checkpoints_path
    )
    sizes = gc(store)
    assert list(sizes) == [OF_RESULTS]
    assert sizes[OF_RESULTS][0] == 6
    assert not store.run("completed").checkpoints_path.exists()
    assert checkpoint_names(store) == ["0000000010", "0000000011"]
    go_on(store.run("interrupted"))
    assert store.run("interrupted").status == "completed"


def test_a_run_without_a_result_keeps_its_last_sound_checkpoint(store, go_on):
    size = sum(f.stat().st_size for f in store.run("interrupted").path.glob("checkpoints/*10/*"))
    assert gc(store, Wanted(failed=True)) == {OF_OTHERS: (3, size)}
    assert checkpoint_names(store) == ["0000000011"]
    go_on(store.run("interrupted"))
    (resumed,) = [a for a in store.run("interrupted").attempts() if a["event"] == "resumed"]
    assert resumed["generator_steps"] == 11


def test_the_last_sound_one_may_not_be_the_last(store):
    (store.run("interrupted").checkpoints_path / "0000000011" / "progress.json").write_text("{}")
    gc(store, Wanted(failed=True))
    assert checkpoint_names(store) == ["0000000010"]


@pytest.mark.parametrize("content", ["{}", '{"schema": 2, "sha256": {}}', "["])
def test_where_none_is_known_to_be_sound_all_stay(store, content):
    for manifest in store.run("interrupted").checkpoints_path.glob("*/manifest.json"):
        manifest.write_text(content)
    assert gc(store, Wanted(failed=True)) == {}


@pytest.mark.parametrize("content", ["x", '{"schema": 2, "outcome": "completed"}', "[]"])
def test_where_the_outcome_is_not_known_checkpoints_stay(store, content):
    (store.run("interrupted").path / "outcome.json").write_text(content)
    assert gc(store, EVERYTHING) == {}


def test_leftovers_go_from_everywhere_unless_they_are_being_written(store):
    run = store.run("completed").path
    places = [store.path, store.path / "tables", store.path / "throughput", run, run / "samples"]
    for place in places:
        old(place / f"{UNFINISHED}a")
        (place / f"{UNFINISHED}b").touch()
    unfinished = store.run("interrupted").checkpoints_path / "0000000012"
    old(unfinished / "state.safetensors")
    os.utime(unfinished, (0, 0))
    assert gc(store) == {CUT_SHORT: (len(places) + 1, 5 * (len(places) + 1))}
    assert len(list(store.path.rglob(f"{UNFINISHED}*"))) == len(places)


def test_what_was_set_aside_goes_only_if_that_is_asked_for(store, contents):
    for run, name in (
        ("completed", "samples/00000000.png"),
        ("interrupted", "environment.json"),
        ("diverged", "recipe.json"),
    ):
        (store.run(run).path / name).write_text("damaged")
    (store.run("completed").path / "lease").mkdir()
    (store.run("completed").path / "lease" / "x").touch()
    list(repair(store.path))
    before = contents(store.path)
    assert gc(store) == {}
    assert contents(store.path) == before
    ((kind, (files, _)),) = gc(store, Wanted(damaged=True)).items()
    assert kind == DAMAGED
    assert files == 3 + 6
    assert not (store.path / "damaged").exists()
    assert not list(store.path.rglob("*.damaged-*"))


def test_no_link_is_followed(store, tmp_path):
    (tmp_path / "precious").write_text("x")
    run = store.run("completed").path
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "0000000001").symlink_to(tmp_path)
    (run / "a.damaged-1").symlink_to(tmp_path)
    (store.path / "damaged").symlink_to(tmp_path)
    gc(store, EVERYTHING)
    assert (tmp_path / "precious").read_text() == "x"
    assert not (store.path / "damaged").is_symlink()


def test_runs_that_somebody_is_doing_stay(store, contents):
    with store.run("interrupted").lease():
        before = contents(store.path)
        assert gc(store, EVERYTHING) == {}
        assert contents(store.path) == before


def test_a_run_that_somebody_begins_meanwhile_stays(store):
    found = survey(store.path, EVERYTHING)
    with store.run("interrupted").lease():
        assert list(remove(found, EVERYTHING)) == [store.run("interrupted").path]
    assert checkpoint_names(store) == ["0000000010", "0000000011"]


def test_what_is_needed_by_now_stays(store):
    """A result that was there when somebody looked has been done away with."""
    folder = store.run("diverged")
    shutil.copytree(store.run("interrupted").checkpoints_path, folder.checkpoints_path)
    found = survey(store.path, NOTHING_MORE)
    folder.supersede(1)
    assert list(remove(found, NOTHING_MORE)) == []
    assert checkpoint_names(store, "diverged") == ["0000000010", "0000000011"]


def test_what_can_not_be_removed_is_one_message(store, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ganbench.upkeep.acts.rmtree", refuse)
    with pytest.raises(StoreError, match="can't be mended: Permission denied"):
        gc(store, EVERYTHING)
