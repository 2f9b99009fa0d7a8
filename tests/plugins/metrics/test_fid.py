import hashlib
from pathlib import Path

import pytest
import torch

from ganbench.api import BadInput, Data, NotPrepared, Unsupported
from ganbench_plugins.metrics import fid
from ganbench_plugins.metrics.fid import Fid

IMAGES = Data(torch.zeros(2, 3, 32, 32, dtype=torch.uint8), "test")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch hub's cache, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def message(metric: Fid, reference: Data = IMAGES) -> str:
    with pytest.raises((BadInput, NotPrepared, Unsupported)) as raised:
        metric.check(reference)
    return str(raised.value)


def test_without_weights_it_says_what_to_fetch_and_what_else_there_is(cache: Path) -> None:
    with pytest.raises(NotPrepared):
        Fid().check(IMAGES)
    said = message(Fid())
    assert f"not in {cache}" in said
    assert "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/" in said
    assert "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2" in said
    assert "95,628,359 bytes" in said
    assert "--metrics fid:weights=FILE" in said
    assert "fd-digits" in said
    assert list(cache.iterdir()) == []


def test_other_weights_are_sent_to_fd_inception(inception_file: Path) -> None:
    said = message(Fid(weights=str(inception_file)))
    assert f"{inception_file} is not the Inception network that FID is defined on" in said
    assert hashlib.sha256(inception_file.read_bytes()).hexdigest() in said
    assert f"fd-inception:weights={inception_file}" in said


@pytest.mark.parametrize("name", fid.CACHED_NAMES)
def test_a_broken_download_in_the_cache_is_named(cache: Path, name: str) -> None:
    (cache / name).write_bytes(b"half")
    assert f"{cache / name} is not the Inception network" in message(Fid())


def test_a_file_is_verified_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_bytes(b"<html>")
    assert "it has 6 bytes" in message(Fid(weights=str(tmp_path / "page.pth")))


@pytest.mark.parametrize("name", fid.CACHED_NAMES)
def test_the_verified_file_is_found_in_the_cache(
    cache: Path, name: str, inception_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    monkeypatch.setattr(fid, "SHA256", digest)
    (cache / name).symlink_to(inception_file)
    metric = Fid()
    metric.check(IMAGES)
    assert metric.settings == ("inception-2015", "bilinear", "uint8")


def test_only_this_result_is_called_fid() -> None:
    assert Fid.directions == {"fid": "lower"}


@pytest.mark.parametrize(
    ("samples", "given"),
    [
        (torch.zeros(2, 4, 8, 8, dtype=torch.uint8), "images of shape (4, 8, 8)"),
        (torch.zeros(2, 2), "points of shape (2,)"),
    ],
)
def test_other_data_are_refused(samples: torch.Tensor, given: str) -> None:
    said = message(Fid(), Data(samples, "all"))
    assert said == f"fid needs images with 1 or 3 channels; it was given {given}"
