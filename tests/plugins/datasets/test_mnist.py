import shutil
import socket
from hashlib import md5
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torchvision import datasets

from ganbench.api import BadInput, NotPrepared
from ganbench_plugins.datasets.mnist import FashionMnist, Mnist


def no_network(*_, **__):
    raise URLError("no network here")


def idx(shape: tuple[int, ...], content: bytes) -> bytes:
    """Bytes in MNIST's format: 0, 0, 8 for uint8, the number of sizes, then each of them."""
    sizes = b"".join(size.to_bytes(4, "big") for size in shape)
    return bytes([0, 0, 8, len(shape)]) + sizes + content


def write_test_split(folder: Path, name: str) -> Path:
    """A whole test split: image i is filled with i % 251 and labelled i % 10."""
    raw = folder / name / "raw"
    raw.mkdir(parents=True)
    pixels = b"".join(bytes([i % 251]) * 784 for i in range(10_000))
    (raw / "t10k-images-idx3-ubyte").write_bytes(idx((10_000, 28, 28), pixels))
    labels = bytes(i % 10 for i in range(10_000))
    (raw / "t10k-labels-idx1-ubyte").write_bytes(idx((10_000,), labels))
    return raw


def test_the_published_training_images(real_mnist):
    data = Mnist().load(real_mnist)
    assert data.samples.shape == (60_000, 1, 28, 28)
    assert data.samples.dtype == torch.uint8
    assert data.split == "train"
    assert data.labels is not None
    assert data.labels.dtype == torch.int64
    # The file's own digits, 5 0 4 1 9, as its publication shows them.
    assert data.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert torch.bincount(data.labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    # The well-known mean and deviation that MNIST is normalised with.
    assert (data.samples.double() / 255).mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert (data.samples.double() / 255).std().item() == pytest.approx(0.3081, abs=5e-5)
    raw = real_mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    assert md5(raw.read_bytes()).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    assert data.samples.numpy().tobytes() == raw.read_bytes()[16:]


def test_the_published_test_images(real_mnist):
    data = Mnist("test").load(real_mnist)
    assert data.samples.shape == (10_000, 1, 28, 28)
    assert data.split == "test"
    assert data.labels is not None
    assert data.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_what_is_whole_is_not_fetched_again(real_mnist, monkeypatch):
    monkeypatch.setattr(datasets.MNIST, "download", no_network)
    Mnist().prepare(real_mnist)


def test_archives_put_there_by_hand_are_unpacked(real_data, tmp_path, monkeypatch):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for archive in (real_data / "MNIST" / "raw").glob("*.gz"):
        shutil.copyfile(archive, raw / archive.name)
    # These archives were packed anew: their content is the published one, their sums are not.
    sums = [(path.name, md5(path.read_bytes()).hexdigest()) for path in sorted(raw.iterdir())]
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    Mnist().prepare(tmp_path)
    assert len(Mnist("test").load(tmp_path)) == 10_000


def test_fashion_mnist_has_its_own_folder_and_the_same_layout(tmp_path):
    write_test_split(tmp_path, "FashionMNIST")
    data = FashionMnist(split="test").load(tmp_path)
    assert data.shape == (1, 28, 28)
    assert data.samples[252].unique().tolist() == [1]
    assert data.labels is not None
    assert data.labels[:11].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_nothing_there(tmp_path):
    with pytest.raises(NotPrepared) as caught:
        Mnist().load(tmp_path)
    assert str(caught.value) == f"there is no train-images-idx3-ubyte in {tmp_path}/MNIST/raw"
    assert list(tmp_path.iterdir()) == []


def test_one_file_lacks(tmp_path):
    raw = write_test_split(tmp_path, "MNIST")
    (raw / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(NotPrepared, match=r"there is no t10k-labels-idx1-ubyte in .*/MNIST/raw$"):
        Mnist("test").load(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "invalid literal"),
        (b"<html>not found</html>", "AssertionError"),
        (idx((10_000, 28, 28), b"\0" * 784), "shape"),
        (idx((1, 28, 28), b"\0" * 784), r"it holds \(1, 28, 28\) values, not \(10000, 28, 28\)"),
        (idx((784,), b"\0" * 784), "3 dimension"),
        (b"\0\0\x0a\1" + b"\0\0\0\1\0", "10"),
    ],
    ids=["empty", "html", "truncated", "too-few", "labels", "unknown-type"],
)
def test_a_damaged_file_is_named(tmp_path, content, reason):
    raw = write_test_split(tmp_path, "MNIST")
    path = raw / "t10k-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=rf"^{path} can't be read: .*{reason}") as caught:
        Mnist("test").load(tmp_path)
    assert str(caught.value).endswith("\n  Delete it and prepare the data set again.")


def test_prepare_names_a_damaged_file(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.MNIST, "download", no_network)
    raw = write_test_split(tmp_path, "MNIST")
    for test_file in list(raw.iterdir()):
        shutil.copyfile(test_file, raw / test_file.name.replace("t10k", "train"))
    with pytest.raises(BadInput, match=r"train-images-idx3-ubyte can't be read: it holds \(10000,"):
        Mnist("test").prepare(tmp_path)


def test_without_a_network_prepare_says_where_the_files_can_be_put(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(NotPrepared) as caught:
        FashionMnist().prepare(tmp_path)
    text = str(caught.value)
    assert text.startswith("FashionMNIST could not be fetched from http://fashion-mnist.s3-website")
    assert "no network here" in text
    assert "put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images" in text
    assert f"into {tmp_path}/FashionMNIST/raw\n  and prepare again" in text
    assert socket.getdefaulttimeout() is None


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(NotPrepared, match="Not a directory"):
        Mnist().prepare(tmp_path / "data")
