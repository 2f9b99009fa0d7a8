import os

import pytest
import torch
from safetensors.torch import save_file

from ganbench_plugins.datasets.tensor_cache import keep, recall

TENSOR = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2)


def test_what_is_kept_comes_back_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "cache" / "a.safetensors"
    keep(path, TENSOR)
    kept = recall(path)
    assert kept is not None
    assert kept.dtype == torch.uint8
    assert kept.tolist() == TENSOR.tolist()
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


def test_nothing_there(tmp_path):
    assert recall(tmp_path / "a.safetensors") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"garbage",
        lambda content: content[:-1],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content.replace(b"[2,3,2,2]", b"[3,2,2,2]"),
        lambda content: content.replace(b'"samples"', b'"simples"'),
        lambda content: content.replace(b"sha256", b"sha255"),
    ],
    ids=["empty", "garbage", "cut", "bit", "shape", "name", "no-sum"],
)
def test_a_damaged_file_is_not_recalled(tmp_path, damage):
    path = tmp_path / "a.safetensors"
    keep(path, TENSOR)
    whole = path.read_bytes()
    damaged = damage(whole)
    assert damaged != whole
    path.write_bytes(damaged)
    assert recall(path) is None


@pytest.mark.parametrize(
    "tensor",
    [TENSOR.bfloat16(), TENSOR.to(torch.complex64), TENSOR.bool(), TENSOR[:0]],
    ids=lambda tensor: f"{tensor.dtype}, {len(tensor)}",
)
def test_what_is_no_image_is_not_recalled(tmp_path, tensor):
    path = tmp_path / "a.safetensors"
    save_file({"samples": tensor}, path, {"sha256": "0" * 64})
    assert recall(path) is None


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")
    assert recall(tmp_path / "a.safetensors") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file")
    keep(tmp_path / "cache" / "a.safetensors", TENSOR)
    assert (tmp_path / "cache").read_text() == "a file"


def test_what_was_there_stays_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    keep(path, TENSOR)

    def half(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr("ganbench_plugins.datasets.tensor_cache.save_file", half)
    keep(path, TENSOR + 1)
    kept = recall(path)
    assert kept is not None
    assert kept.tolist() == TENSOR.tolist()
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
