"""Ways in which a store gets damaged, each done to one that was really run: found, and mended."""

import json
import os
import shutil
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ganbench.files import UNFINISHED
from ganbench.upkeep.check import check
from ganbench.upkeep.repair import repair


class Damage(NamedTuple):
    """What is done, and what has to be found: by which file, in which words, and its weight."""

    do: Callable
    file: str
    says: str
    loses: bool = True


def on(run: str, name: str, change: Callable[[Path], None]) -> Callable:
    """Change a file of a run."""
    return lambda store: change(store.run(run).path / name)


def content(new: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(new)


def edit(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def fields(**new: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **new}))

    return change


def line(number: int, new: bytes) -> Callable[[Path], None]:
    """Replace a line."""

    def change(text: bytes) -> bytes:
        lines = text.split(b"\n")
        lines[number] = new
        return b"\n".join(lines)

    return edit(change)


def instead(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Put something else in its place."""

    def change(path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        make(path)

    return change


def link(target: str) -> Callable[[Path], None]:
    return instead(lambda path: path.symlink_to(target))


def aged(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Long ago."""

    def change(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)
        then = time.time() - 3600
        os.utime(path, (then, then), follow_symlinks=False)

    return change


def last(run: str, pattern: str, change: Callable[[Path], None]) -> Callable:
    return lambda store: change(max(store.run(run).path.glob(pattern)))


def without_digests(then: Callable) -> Callable:
    """As a version that wrote none would have left it."""

    def do(store) -> None:
        on("completed", "outcome.json", fields(sha256={}))(store)
        then(store)

    return do


def in_store(name: str, change: Callable[[Path], None]) -> Callable:
    return lambda store: change(store.path / name)


def the_speed(change: Callable[[Path], None]) -> Callable:
    return lambda store: change(next((store.path / "throughput").glob("*.json")))


def twin(store) -> None:
    """A run's folder under another name."""
    path = store.run("completed").path
    path.rename(path.with_name("f" * 64))


def linked_run(store) -> None:
    path = store.run("completed").path
    path.rename(store.path / "elsewhere")
    path.symlink_to(store.path / "elsewhere")


def cut_short_superseding(store) -> None:
    folder = store.run("diverged")
    folder.begin_attempt()
    outcome = (folder.path / "outcome.json").read_bytes()
    folder.supersede(1)
    (folder.path / "outcome.json").write_bytes(outcome)


def unfinished_checkpoint(path: Path) -> None:
    path.mkdir()
    (path / "state.safetensors").write_bytes(b"half")


def bomb(path: Path) -> None:
    """A PNG of a few bytes that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))


DEEP = b"[" * 100_000
LONG = b'{"schema": ' + b"1" * 5000 + b"}"
RECIPE, OUTCOME, EVENTS = "recipe.json", "outcome.json", "events.jsonl"
GENERATOR, ATTEMPTS, ENVIRONMENT = "generator.safetensors", "attempts.jsonl", "environment.json"

DAMAGES: dict[str, Damage] = {
    "recipe torn": Damage(on("completed", RECIPE, edit(lambda c: c[:99])), RECIPE, "no JSON"),
    "recipe empty": Damage(on("diverged", RECIPE, content(b"")), RECIPE, "no JSON"),
    "recipe gone": Damage(on("interrupted", RECIPE, Path.unlink), RECIPE, "not there"),
    "recipe a link": Damage(on("completed", RECIPE, link("/dev/zero")), RECIPE, "a link"),
    "recipe a folder": Damage(
        on("completed", RECIPE, instead(Path.mkdir)), RECIPE, "no plain file"
    ),
    "recipe a list": Damage(on("completed", RECIPE, content(b"[]")), RECIPE, "no JSON object"),
    "recipe deep": Damage(on("completed", RECIPE, content(DEEP)), RECIPE, "no JSON"),
    "recipe a long number": Damage(on("completed", RECIPE, content(LONG)), RECIPE, "no JSON"),
    "recipe with a list for a part": Damage(
        on("completed", RECIPE, fields(dataset=[])), RECIPE, "'dataset'"
    ),
    "recipe with text for a seed": Damage(
        on("completed", RECIPE, fields(seed="0")), RECIPE, "'seed' has to be a whole number"
    ),
    "recipe of another seed": Damage(
        on("completed", RECIPE, fields(seed=7)), RECIPE, "its key is not that of what it says"
    ),
    "recipe of another cell": Damage(
        on("completed", RECIPE, fields(cell="a")), RECIPE, "its key is not that of what it says"
    ),
    "recipe of another run": Damage(twin, RECIPE, "the recipe of the run"),
    "a schema that never was": Damage(
        on("completed", OUTCOME, fields(schema="one")), OUTCOME, "schema 'one', which never was"
    ),
    "outcome torn": Damage(on("completed", OUTCOME, edit(lambda c: c[:20])), OUTCOME, "no JSON"),
    "outcome a pipe": Damage(
        on("completed", OUTCOME, instead(os.mkfifo)), OUTCOME, "no plain file"
    ),
    "outcome unknown": Damage(
        on("completed", OUTCOME, fields(outcome="splendid")),
        OUTCOME,
        "'outcome' has to be one of the outcomes",
    ),
    "outcome of lists": Damage(
        on("diverged", OUTCOME, fields(outcome=[], step={})), OUTCOME, "'outcome' has to be"
    ),
    "attempts with a damaged line": Damage(
        on("interrupted", ATTEMPTS, edit(lambda c: b"\0\0\0\n" + c)),
        ATTEMPTS,
        "line 1: it is no JSON",
    ),
    "attempts without numbers": Damage(
        on("completed", ATTEMPTS, content(b'{"schema": 1, "event": "began"}\n')),
        ATTEMPTS,
        "line 1: it has no 'attempt'",
    ),
    "attempts torn": Damage(
        on("interrupted", ATTEMPTS, edit(lambda c: c + b'{"ev')), ATTEMPTS, "cut short", False
    ),
    "attempts a link": Damage(on("interrupted", ATTEMPTS, link("nowhere")), ATTEMPTS, "a link"),
    "superseding cut short": Damage(cut_short_superseding, OUTCOME, "was cut short when", False),
    "environment a list": Damage(
        on("completed", ENVIRONMENT, content(b"[]")), ENVIRONMENT, "no JSON object"
    ),
    "environment of lists": Damage(
        on("completed", ENVIRONMENT, fields(machine=[])), ENVIRONMENT, "'machine'"
    ),
    "events of a result damaged": Damage(
        on("completed", EVENTS, line(2, b"\x00\xff")), EVENTS, "line 3: it is no JSON"
    ),
    "events of a result gone": Damage(on("diverged", EVENTS, Path.unlink), EVENTS, "not there"),
    "events of a result changed": Damage(
        on("completed", EVENTS, edit(lambda c: c.replace(b"0.5", b"0.6", 1))), EVENTS, "its sha256"
    ),
    "events of a result emptied": Damage(
        without_digests(on("completed", EVENTS, content(b""))), EVENTS, "the start of the run"
    ),
    "the final evaluation gone": Damage(
        without_digests(on("completed", EVENTS, edit(lambda c: c[: c[:-1].rfind(b"\n") + 1]))),
        EVENTS,
        "its last evaluation is not there",
    ),
    "events of another run": Damage(
        without_digests(on("completed", OUTCOME, fields(sha256={}, generator_steps=15))),
        EVENTS,
        "not those of the outcome",
    ),
    "events damaged": Damage(
        on("interrupted", EVENTS, line(-3, b'{"event": 7}')), EVENTS, "'event' has to be text"
    ),
    "events without columns": Damage(
        on("interrupted", EVENTS, line(0, b'{"event": "started", "schema": 1}')),
        EVENTS,
        "'columns'",
    ),
    "metrics a list": Damage(
        on(
            "interrupted", EVENTS, edit(lambda c: c.replace(b'"metrics": {', b'"metrics":[],"a":{'))
        ),
        EVENTS,
        "'metrics'",
    ),
    "events torn": Damage(
        on("interrupted", EVENTS, edit(lambda c: c + b'{"event": "pro')), EVENTS, "cut short", False
    ),
    "events of a result torn": Damage(
        on("completed", EVENTS, edit(lambda c: c[:-50])), EVENTS, "cut short"
    ),
    "generator gone": Damage(on("completed", GENERATOR, Path.unlink), GENERATOR, "not there"),
    "generator short": Damage(
        on("completed", GENERATOR, edit(lambda c: c[:-4])), GENERATOR, "no whole safetensors file"
    ),
    "generator changed": Damage(
        on("completed", GENERATOR, edit(lambda c: c[:-1] + bytes([c[-1] ^ 1]))),
        GENERATOR,
        "its sha256",
    ),
    "generator with a giant header": Damage(
        on("completed", GENERATOR, content(b"\xff" * 8 + b"{" * 99)),
        GENERATOR,
        "no whole safetensors",
    ),
    "generator a link": Damage(on("completed", GENERATOR, link("/dev/zero")), GENERATOR, "a link"),
    "evaluations damaged": Damage(
        on("completed", "evaluations.jsonl", content(b'{"schema": 1, "metrics": {}}\n{}\nx\n')),
        "evaluations.jsonl",
        "line 2: it has no 'schema'",
    ),
    "picture cut": Damage(
        last("completed", "samples/*.png", edit(lambda c: c[:-30])), "00000020.png", "no whole PNG"
    ),
    "picture of text": Damage(
        last("diverged", "samples/*.png", content(b"x")), "00000000.png", "no whole PNG"
    ),
    "picture enormous": Damage(
        last("completed", "samples/*.png", bomb), "00000020.png", "no whole PNG"
    ),
    "picture a link": Damage(
        last("completed", "samples/*.png", link("/dev/zero")), "00000020.png", "a link"
    ),
    "pictures a file": Damage(
        on("completed", "samples", instead(Path.touch)), "samples", "no folder"
    ),
    "pictures a link": Damage(on("completed", "samples", link("/")), "samples", "no folder"),
    "log a link": Damage(on("completed", "log.txt", link("/dev/zero")), "log.txt", "a link"),
    "something deep": Damage(
        on("completed", "/".join("d" * 500), aged(lambda p: p.symlink_to("/"))), "d", "a link"
    ),
    "checkpoint changed": Damage(
        last("interrupted", "checkpoints/*/state.safetensors", edit(lambda c: c[:-1] + b"?")),
        "0000000011",
        "not what was written",
    ),
    "checkpoint without its state": Damage(
        last("interrupted", "checkpoints/*/state.safetensors", Path.unlink),
        "0000000011",
        "can't be",
    ),
    "checkpoint with a link": Damage(
        last("interrupted", "checkpoints/*/progress.json", link("/dev/zero")),
        "0000000011",
        "'progress.json' is no plain file",
    ),
    "checkpoint of lists": Damage(
        last("interrupted", "checkpoints/*/manifest.json", fields(sha256=[])),
        "0000000011",
        "'sha256'",
    ),
    "checkpoint whose deletion was cut short": Damage(
        on("interrupted", "checkpoints/0000000010/progress.json", Path.unlink),
        "0000000010",
        "'progress.json': it is not there",
        False,
    ),
    "checkpoints a file": Damage(
        on("interrupted", "checkpoints", instead(Path.touch)), "checkpoints", "no folder"
    ),
    "checkpoint a link": Damage(
        on("interrupted", "checkpoints/0000000012", link("0000000011")),
        "0000000012",
        "no checkpoint",
    ),
    "checkpoint not finished": Damage(
        on("interrupted", "checkpoints/0000000012", aged(unfinished_checkpoint)),
        "0000000012",
        "cut short",
        False,
    ),
    "left in a run": Damage(
        on("completed", f"{UNFINISHED}a", aged(Path.touch)), f"{UNFINISHED}a", "cut short", False
    ),
    "left among pictures": Damage(
        on("diverged", f"samples/{UNFINISHED}a", aged(Path.touch)),
        f"{UNFINISHED}a",
        "cut short",
        False,
    ),
    "left in the store": Damage(
        in_store(f"{UNFINISHED}a", aged(Path.touch)), f"{UNFINISHED}a", "cut short", False
    ),
    "left among tables": Damage(
        in_store(f"tables/{UNFINISHED}a", aged(Path.touch)), f"{UNFINISHED}a", "cut short", False
    ),
    "lease of nobody": Damage(
        on("interrupted", "lease", aged(Path.touch)), "lease", "names nobody", False
    ),
    "lease of noise": Damage(
        on("interrupted", "lease", aged(content(os.urandom(99)))), "lease", "names nobody", False
    ),
    "lease a folder": Damage(on("interrupted", "lease", Path.mkdir), "lease", "no plain file"),
    "lease a link": Damage(on("interrupted", "lease", link("/dev/zero")), "lease", "no plain file"),
    "run a link": Damage(linked_run, "", "no folder, as each run is"),
    "run a file": Damage(in_store("runs/x", Path.touch), "x", "no folder, as each run is"),
    "speed torn": Damage(the_speed(edit(lambda c: c[:50])), ".json", "no JSON"),
    "speed of another cell": Damage(the_speed(fields(cell="b")), ".json", "another cell"),
    "speed a link": Damage(the_speed(link("/dev/zero")), ".json", "a link"),
    "speed's lock a folder": Damage(
        in_store("throughput/lock", instead(Path.mkdir)), "lock", "no plain file"
    ),
    "store.json torn": Damage(in_store("store.json", content(b'{"sch')), "store.json", "no JSON"),
    "a name for a terminal": Damage(
        on("completed", "samples/\x1b[2J\udcff", link("/")), "\\udcff", "a link"
    ),
}


def findings(store):
    return [finding for checked in check(store.path) for finding in checked.findings]


def test_nothing_is_wrong_with_a_store_that_was_run(store, contents):
    before = contents(store.path)
    assert findings(store) == []
    assert list(repair(store.path)) == []
    statuses = sorted(checked.status for checked in check(store.path) if checked.status)
    assert statuses == ["completed", "diverged", "interrupted"]
    assert contents(store.path) == before


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_and_mended_once(store, contents, name):
    damage = DAMAGES[name]
    damage.do(store)
    before = contents(store.path)

    found = [finding for finding in findings(store) if damage.says in finding.what]
    assert found, findings(store)
    assert all(damage.file in str(finding).partition(": ")[0] for finding in found)
    assert {finding.loses for finding in found} == {damage.loses}
    assert all(finding.acts and str(finding).isprintable() for finding in found)
    planned = {str(repaired) for repaired in repair(store.path, dry_run=True)}
    assert contents(store.path) == before

    mended = list(repair(store.path))
    assert planned <= {str(repaired) for repaired in mended}
    assert not any(repaired.left for repaired in mended)
    assert not any(finding.loses for finding in findings(store))
    after = contents(store.path)
    assert list(repair(store.path)) == []
    assert contents(store.path) == after


def kept(path: Path) -> set[str]:
    """The content of every file in a folder, wherever it is, but for leftovers."""
    files = (p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    return {p.read_bytes() for p in files if not p.name.startswith(UNFINISHED)}


@pytest.mark.parametrize("name", [name for name in DAMAGES if "checkpoint" not in name])
def test_nothing_that_was_there_is_deleted(store, name):
    """But for torn lines, and an outcome that an attempt did away with, whose content is kept."""
    DAMAGES[name].do(store)
    before = kept(store.path)
    list(repair(store.path))
    cut = {"attempts torn", "events torn", "superseding cut short"}
    assert len(before - kept(store.path)) == (name in cut)
