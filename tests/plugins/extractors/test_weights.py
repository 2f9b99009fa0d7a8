import hashlib
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from ganbench.api import BadInput
from ganbench_plugins.extractors.weights import read_weights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "linear.pth"
    torch.save(nn.Linear(2, 3).state_dict(), path)
    return path


def reading(path: Path, content: object) -> str:
    """What is said of a file with this content: bytes, or what torch.save writes."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(BadInput) as raised:
        read_weights(path)
    assert str(path) in str(raised.value)
    assert "weights_only=False" not in str(raised.value)
    return str(raised.value)


def test_tensors_and_digest_are_the_files(file: Path) -> None:
    weights = read_weights(file)
    assert weights.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    network = nn.Linear(2, 3)
    weights.put_into(network, "a small network")
    assert torch.equal(network.weight, torch.load(file, weights_only=True)["weight"])


def test_safetensors_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "linear.safetensors"
    state = nn.Linear(2, 3).state_dict()
    safetensors.torch.save_file(state, path)
    weights = read_weights(path)
    assert weights.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert torch.equal(weights.tensors["weight"], state["weight"])
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BadInput, match="is not a readable file of weights"):
        read_weights(path)


class Hostile:
    """A pickle that runs a command when it is read by an unrestricted loader."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.canary}",)


def test_a_hostile_file_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    said = reading(tmp_path / "hostile.pth", {"fc.bias": Hostile(canary)})
    assert "is not a readable file of weights" in said
    assert not canary.exists()


def test_another_digest_is_refused_before_the_file_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "page.pth"
    path.write_bytes(b"<html>")
    with pytest.raises(BadInput, match="is another file than it should be") as raised:
        read_weights(path, "0" * 64)
    assert hashlib.sha256(b"<html>").hexdigest() in str(raised.value)
    assert "Delete it" in str(raised.value)


def test_a_truncated_file_is_refused(file: Path, tmp_path: Path) -> None:
    said = reading(tmp_path / "half.pth", file.read_bytes()[: file.stat().st_size // 2])
    assert "it is truncated, or holds more than the tensors" in said


@pytest.mark.parametrize(
    "content", [b"", b"<html>Not Found</html>", b"\x80\x02garbage", b"PK\x03\x04"]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "is not a readable file of weights" in reading(tmp_path / "page.pth", content)


@pytest.mark.parametrize("content", [[1, 2], {"fc.bias": 3}, torch.zeros(3)])
def test_a_file_without_named_tensors_is_refused(tmp_path: Path, content: object) -> None:
    assert "does not hold tensors by name" in reading(tmp_path / "list.pth", content)


def test_another_networks_weights_are_refused(file: Path) -> None:
    with pytest.raises(BadInput, match=r"holds another network than a small one: .*size mismatch"):
        read_weights(file).put_into(nn.Linear(2, 4), "a small one")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"can't read the weights .*none\.pth: No such file"):
        read_weights(tmp_path / "none.pth")
    with pytest.raises(BadInput, match=r"can't read the weights .*: Is a directory"):
        read_weights(tmp_path)
