"""Stores, caches and weights that somebody made to do harm, or that came to harm.

Each is refused with one message that names the file. Nothing is unpickled, nothing is followed
out of a store, and nothing is taken in that is larger than the file it is in.
"""

import ast
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import ganbench
from ganbench import records
from ganbench.errors import BadInput, StoreError
from ganbench.files import LARGEST, append_line, read_json, read_lines
from ganbench.results import Results
from ganbench.store import RunFolder, Store, write_json
from ganbench_plugins.extractors.weights import read_weights

ROOT = Path(__file__).resolve().parents[1]
DEEP = b"[" * 100_000


class Evil:
    """A pickle of it makes the file `canary` when it is read."""

    def __reduce__(self):
        return os.system, ("touch canary",)


@pytest.fixture(autouse=True)
def no_canary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / "canary").exists()


def tensors_file(header: object, body: bytes = b"") -> bytes:
    """A safetensors file of any header, sound or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tensor(dtype: str, shape: list[int], size: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}


def torch_zip(data: bytes = b"", **how: int) -> bytes:
    """What torch.save writes, packed again, its tensor's numbers replaced if there are `data`."""
    saved, packed = BytesIO(), BytesIO()
    torch.save(nn.Linear(2, 3).state_dict(), saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(packed, "w", **how) as new:
        for entry in old.infolist():
            is_numbers = data and entry.filename.endswith("data/0")
            new.writestr(entry.filename, data if is_numbers else old.read(entry))
    return packed.getvalue()


BOMB = torch_zip(bytes(2**28), compression=zipfile.ZIP_DEFLATED)
NO_TENSORS = {
    "nothing": b"",
    "a pickle": pickle.dumps({"weight": Evil()}),
    "a zip bomb": BOMB,
    "a header of 2^60 bytes": struct.pack("<Q", 2**60) + b"{}",
    "a header that is cut": tensors_file({"x": tensor("F32", [2], 8)})[:20],
    "a body that is cut": tensors_file({"x": tensor("F32", [2], 8)}, bytes(7)),
    "2^60 numbers": tensors_file({"x": tensor("F32", [2**60], 4)}, bytes(4)),
    "-1 numbers": tensors_file({"x": tensor("F32", [-1], 4)}, bytes(4)),
    "a deep header": tensors_file(b'{"a":' * 50_000),
    "a header of lists": tensors_file(DEEP),
    "numbers twice": tensors_file(
        {"x": tensor("F32", [1], 4), "y": tensor("F32", [1], 4)}, bytes(4)
    ),
    "a header that is text": tensors_file(b"\0\xff\xfe"),
}


# Stores: JSON

NO_OBJECTS = {
    "nothing": b"",
    "a NUL": b'{"seed": 1\0}',
    "a raw control": b'{"objective": "a\x1b"}',
    "not UTF-8": b'{"objective": "\xff"}',
    "a list": b"[]",
    "a number": b"1",
    "a pickle": pickle.dumps(Evil()),
    "deep lists": DEEP,
    "deep objects": b'{"a":' * 100_000,
    "an integer of 5,000 digits": b'{"seed": ' + b"9" * 5000 + b"}",
}
PART = {"name": "a", "short": "a", "fields": {}}
RECIPE = {
    **dict.fromkeys(("loss", "schedule", "architecture", "protocol"), PART),
    "dataset": {**PART, "fingerprint": "f"},
    "penalties": [],
    "metrics": [{**PART, "settings": [], "extractor": PART}],
    "objective": "a", "cell": "c", "key": "k", "seed": 0, "machine": None, "harness": 2,
}  # fmt: skip
WRONG = {
    "recipe.json": [
        *({name: wrong} for name in RECIPE for wrong in ({}, ["a"], True) if name != "penalties"),
        {"seed": 2**63}, {"seed": float("nan")}, {"seed": float("inf")}, {"seed": "0"},
        {"cell": None}, {"schedule": "k-step"}, {"schedule": {**PART, "fields": {"k": 1}}},
        {"dataset": PART}, {"penalties": {}}, {"penalties": [{}]}, {"metrics": [PART]},
        {"metrics": [{**PART, "settings": "x", "extractor": None}]},
        {"metrics": [{**PART, "settings": [], "extractor": {}}]},
    ],
    "outcome.json": [
        {"outcome": None}, {"outcome": ["completed"]}, {"error": 1}, {"step": "12"},
        {"step": 10**30}, {"seconds": "1"}, {"images": 1.5}, {"generator_steps": True},
    ],
    "events.jsonl": [
        {"event": 1}, {"columns": {}}, {"columns": ["fd"]}, {"columns": [{"name": "fd"}]},
        {"metrics": [1.0]}, {"metrics": {"fd": "1"}}, {"metrics": {"fd": 10**400}},
        {"noise": {"fd": []}}, {"seconds": None}, {"images": "1"}, {"share": "1"},
        {"value": {}},
    ],
    "attempts.jsonl": [{"event": None}, {"attempt": "1"}, {"attempt": 2**64}],
    "environment.json": [{"machine": 1}, {"machine": ["m"]}],
}  # fmt: skip
RIGHT = {
    "recipe.json": RECIPE,
    "outcome.json": {"outcome": "completed"},
    "events.jsonl": {"event": "evaluated"},
    "attempts.jsonl": {"event": "began", "attempt": 1},
    "environment.json": {},
}
READ: dict[str, Callable[[RunFolder], object]] = {
    "recipe.json": RunFolder.recipe,
    "outcome.json": RunFolder.outcome,
    "events.jsonl": RunFolder.events,
    "attempts.jsonl": RunFolder.attempts,
    "environment.json": RunFolder.machine,
}


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    """A run whose files are all in order."""
    run = Store(tmp_path / "store", create=True).run("abc")
    run.path.mkdir(parents=True)
    for name, content in RIGHT.items():
        (run.path / name).write_text(json.dumps(content) + "\n")
    for read in READ.values():
        read(run)
    return run


def refused(folder: RunFolder, name: str) -> str:
    with pytest.raises(StoreError) as raised:
        READ[name](folder)
    text = str(raised.value)
    assert text.startswith(f"'{folder.path / name}' can't be read: ")
    assert len(text) < 400
    return text


@pytest.mark.parametrize("case", NO_OBJECTS)
@pytest.mark.parametrize("name", READ)
def test_what_is_no_json_object_is_refused(folder, name, case):
    (folder.path / name).write_bytes(NO_OBJECTS[case] + b"\n")
    if name.endswith(".jsonl") and case == "nothing":
        (folder.path / name).write_bytes(b"\n")
    refused(folder, name)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(name, wrong) for name, wrongs in WRONG.items() for wrong in wrongs],
    ids=str,
)
def test_a_field_of_a_wrong_type_is_refused(folder, name, wrong):
    (folder.path / name).write_text(json.dumps({**RIGHT[name], **wrong}) + "\n")
    (field,) = wrong
    assert f"'{field}' has to be " in refused(folder, name)


@pytest.mark.parametrize(
    ("name", "lost"), [("outcome.json", "outcome"), ("attempts.jsonl", "attempt")]
)
def test_a_field_that_is_missing_is_refused(folder, name, lost):
    content = {field: value for field, value in RIGHT[name].items() if field != lost}
    (folder.path / name).write_text(json.dumps(content) + "\n")
    assert f"it has no '{lost}'" in refused(folder, name)


@pytest.mark.parametrize("lost", records.WHOLE)
def test_a_run_without_a_whole_recipe_is_not_scored(folder, lost):
    write_json(folder.path / "recipe.json", {n: v for n, v in RECIPE.items() if n != lost})
    with pytest.raises(StoreError, match=f"it has no '{lost}'"):
        ganbench.evaluate(str(folder.path), store=folder.path.parents[1])


def test_what_is_not_a_number_in_a_metric_or_a_loss_is_one_there(folder):
    """A NaN is what a run may have come to; the runner writes it so."""
    (folder.path / "events.jsonl").write_text(
        '{"event": "progress", "value": NaN, "seconds": Infinity}\n'
        '{"event": "evaluated", "metrics": {"fd": NaN, "kid": null, "is": 3}}\n'
    )
    assert len(folder.events()) == 2


# Stores: what is no plain file


def planted(path: Path, kind: str, outside: Path) -> None:
    path.unlink(missing_ok=True)
    if kind == "a link":
        path.symlink_to(outside)
    elif kind == "a folder":
        path.mkdir()
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["a link", "a folder", "a pipe"])
@pytest.mark.parametrize("name", READ)
def test_what_is_no_plain_file_is_not_read(folder, tmp_path, name, kind):
    outside = tmp_path / "secret"
    outside.write_bytes((folder.path / name).read_bytes())
    planted(folder.path / name, kind, outside)
    assert ("it is a link" if kind == "a link" else "it is no file") in refused(folder, name)


def test_a_link_that_leads_nowhere_is_no_missing_file(folder):
    planted(folder.path / "outcome.json", "a link", Path("/no/where"))
    refused(folder, "outcome.json")


@pytest.mark.parametrize("name", READ)
def test_a_runs_folder_that_is_a_link_is_not_read(folder, tmp_path, name):
    folder.path.rename(tmp_path / "outside")
    folder.path.symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match=f"'{folder.path}' can't be read: it is a link"):
        READ[name](folder)
    with pytest.warns(UserWarning, match="left out: .*it is a link"):
        assert len(Results(tmp_path / "store").runs()) == 0


def test_nothing_is_written_through_a_link(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine\n")
    planted(folder.path / "evaluations.jsonl", "a link", outside)
    with pytest.raises(StoreError, match="symbolic links"):
        append_line(folder.path / "evaluations.jsonl", {"a": 1})
    assert outside.read_text() == "mine\n"


@pytest.mark.parametrize("read", [read_json, read_lines])
def test_a_file_larger_than_any_of_ours_is_not_read(tmp_path, read):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)  # takes no room on the disk
    with pytest.raises(StoreError, match=r"it has 268,435,457 bytes, more than 268,435,456"):
        read(path)


@pytest.mark.parametrize("content", [b"[]", b"{", DEEP, b'{"schema": [1]}', b'{"schema": NaN}'])
def test_a_store_whose_own_file_is_odd_is_refused(folder, content):
    (folder.path.parents[1] / "store.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"can't be read|is a store of schema"):
        Results(folder.path.parents[1])


@pytest.mark.parametrize("name", ["outcome.json", "events.jsonl", "environment.json"])
@pytest.mark.parametrize("case", NO_OBJECTS)
def test_no_damaged_file_fails_a_table(folder, name, case):
    """The types are checked as above."""
    other = Store(folder.path.parents[1]).run("other")
    write_json(other.path / "recipe.json", {**RECIPE, "seed": 1})
    (folder.path / name).write_bytes(NO_OBJECTS[case] + b"\n\n")
    with pytest.warns(UserWarning, match=f"unreadable: '{folder.path / name}'"):
        rows = Results(folder.path.parents[1]).runs()
    assert list(rows["outcome"]) == ["unreadable", "not started"]


# Stores: the generator

TINY = {
    "metrics": "modes", "budget": "1kimg", "seeds": 1, "jobs": 1,
    "architectures": "mlp:width=8:depth=1",
}  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> RunFolder:
    """A completed run of a tiny network."""
    path = tmp_path_factory.mktemp("hostile") / "store"
    (run,) = ganbench.run("nonsat", "gaussian", store=path, **TINY).folders
    return run


@pytest.fixture
def generator(scored):
    """The file of its generator, put right again afterwards."""
    content = scored.generator_path.read_bytes()
    yield scored.generator_path
    scored.generator_path.unlink()
    scored.generator_path.write_bytes(content)


def scoring(folder: RunFolder) -> None:
    ganbench.evaluate(folder.key, samples=50, store=folder.path.parents[1], threads=1)


def test_a_sound_generator_is_scored(scored):
    scoring(scored)


@pytest.mark.parametrize("case", NO_TENSORS)
def test_a_generator_that_is_no_safetensors_file_is_refused(scored, generator, case):
    generator.write_bytes(NO_TENSORS[case])
    with pytest.raises(StoreError, match=r"generator\.safetensors' can't be read: "):
        scoring(scored)


@pytest.mark.parametrize("kind", ["a link", "a pipe"])
def test_a_generator_that_is_no_plain_file_is_refused(scored, generator, tmp_path, kind):
    outside = tmp_path / "outside"
    outside.write_bytes(generator.read_bytes())
    planted(generator, kind, outside)
    with pytest.raises(StoreError, match=r"generator\.safetensors' can't be read: it is"):
        scoring(scored)


def renamed(state):
    state["../../x"] = state.pop(min(state))


def with_another(state):
    state["../../x"] = torch.zeros(1)


def of_doubles(state):
    state[min(state)] = state[min(state)].double()


def of_bytes(state):
    state[min(state)] = state[min(state)].to(torch.uint8)


def of_half_the_size(state):
    state[min(state)] = torch.zeros(2**20, 2)


def of_no_size(state):
    state[min(state)] = torch.zeros(0)


def empty(state):
    state.clear()


@pytest.mark.parametrize(
    "change", [renamed, with_another, of_doubles, of_bytes, of_half_the_size, of_no_size, empty]
)
def test_a_generator_of_other_tensors_is_refused(scored, generator, change):
    state = load_file(generator)
    change(state)
    save_file(state, generator)
    with pytest.raises(BadInput, match="is not the one that 'mlp:depth=1:width=8' makes now: "):
        scoring(scored)


def test_a_generator_of_no_numbers_is_refused(scored, generator):
    state = {name: torch.full_like(t, float("nan")) for name, t in load_file(generator).items()}
    save_file(state, generator)
    with pytest.raises(BadInput, match="values that are not finite"):
        scoring(scored)


# Weights

HOSTILE_WEIGHTS = {
    **{case: content for case, content in NO_TENSORS.items() if case != "nothing"},
    "a zip that is compressed": torch_zip(compression=zipfile.ZIP_DEFLATED),
    "a zip without its end": torch_zip()[:-30],
    "a frame of 2^60 bytes": b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b".",
    "text of 2^60 bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b".",
    "a number of 2^31 bytes": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "a deep pickle": b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
    "a tuple without an end": b"\x80\x02" + b"(" * 200_000,
    "a global": b"cos\nsystem\n(S'touch canary'\ntR.",
}


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("case", HOSTILE_WEIGHTS)
def test_hostile_weights_are_refused(tmp_path, case, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(HOSTILE_WEIGHTS[case])
    with pytest.raises(BadInput) as raised:
        read_weights(path)
    assert str(raised.value).startswith(f"{path} is not a readable file of weights")


def test_a_zip_bomb_is_refused_before_it_goes_off(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("it was read")

    monkeypatch.setattr(torch, "load", never)
    (tmp_path / "bomb.pth").write_bytes(BOMB)
    with pytest.raises(BadInput, match="is not a readable file"):
        read_weights(tmp_path / "bomb.pth")


def test_what_torch_writes_is_no_bomb(tmp_path):
    (tmp_path / "fine.pth").write_bytes(torch_zip())
    read_weights(tmp_path / "fine.pth").put_into(nn.Linear(2, 3), "a network")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.long(),
        lambda t: t.bool(),
        lambda t: t.to(torch.complex64),
        lambda t: t.to_sparse(),
        lambda t: t.expand(2**20, *t.shape),
        lambda t: t[:0],
    ],
    ids=["integers", "truths", "complex numbers", "sparse", "a million times", "none"],
)
def test_weights_of_other_tensors_are_refused(tmp_path, change):
    state = nn.Linear(2, 3).state_dict()
    path = tmp_path / "weights.pth"
    torch.save({**state, "weight": change(state["weight"])}, path)
    with pytest.raises(BadInput, match="holds another network than a small one"):
        read_weights(path).put_into(nn.Linear(2, 3), "a small one")


# Nothing is unpickled

UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def given(call: ast.Call) -> dict[str | None, str]:
    """The keyword arguments as they are written."""
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}


def test_no_code_of_ours_unpickles():
    """CIFAR-10 is published as pickles, which torchvision reads once their md5 sums are right."""
    files = [file for package in ("ganbench", "plugins") for file in (ROOT / package).rglob("*.py")]
    loads = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            assert not imported(node) & UNPICKLERS, file
            if isinstance(node, ast.Call):
                assert given(node).get("allow_pickle", "False") == "False", file
                if ast.unparse(node.func) == "torch.load":
                    assert given(node).get("weights_only") == "True", file
                    loads.append(file.name)
    assert loads == ["weights.py"]
