import pickle
from hashlib import md5
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from ganbench.api import BadInput, NotPrepared
from ganbench_plugins.datasets.cifar10 import Cifar10

NAMES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"]


def rows(first: int) -> np.ndarray:
    """Two images as the format's page describes them: 1,024 reds by rows, greens, blues."""
    numbers = np.arange(first, first + 2 * 3072) % 256
    return numbers.astype(np.uint8).reshape(2, 3072)


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Path:
    """Hand-made files of two images each; their sums, still checked, are put for the published."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()

    def write(name: str, content: object) -> list[str]:
        raw = pickle.dumps(content)
        (folder / name).write_bytes(raw)
        return [name, md5(raw).hexdigest()]

    train = [
        write(name, {"data": rows(7 * place), "labels": [place, place + 5]})
        for place, name in enumerate(NAMES)
    ]
    test = write("test_batch", {"data": rows(100), "labels": [9, 8]})
    meta = write("batches.meta", {"label_names": ["airplane"]})
    monkeypatch.setattr(CIFAR10, "train_list", train)
    monkeypatch.setattr(CIFAR10, "test_list", [test])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": meta[1]})
    return tmp_path


def test_rows_become_channels_height_width(tiny):
    data = Cifar10().load(tiny)
    assert data.samples.dtype == torch.uint8
    assert data.samples.is_contiguous()
    assert data.split == "train"
    expected = np.concatenate([rows(7 * place) for place in range(5)]).reshape(10, 3, 32, 32)
    assert data.samples.tolist() == expected.tolist()
    # By hand: file 1's second image, green, row 2, column 3 -> byte 3072 + 1024 + 64 + 3 of it.
    assert data.samples[3, 1, 2, 3] == (7 + 3072 + 1024 + 64 + 3) % 256
    assert data.labels is not None
    assert data.labels.dtype == torch.int64
    assert data.labels.tolist() == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]


def test_the_test_split(tiny):
    data = Cifar10("test").load(tiny)
    assert data.split == "test"
    assert data.samples.flatten(1).tolist() == rows(100).tolist()
    assert data.labels is not None
    assert data.labels.tolist() == [9, 8]


def test_the_published_sums_are_asked_for():
    assert len(CIFAR10.train_list) == 5
    assert all(len(md5_sum) == 32 for _, md5_sum in [*CIFAR10.train_list, *CIFAR10.test_list])


def test_nothing_there(tmp_path):
    with pytest.raises(NotPrepared) as caught:
        Cifar10().load(tmp_path)
    assert str(caught.value) == f"there is no data_batch_1 in {tmp_path}/cifar-10-batches-py"


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_one_file_lacks(tiny, name):
    (tiny / "cifar-10-batches-py" / name).unlink()
    with pytest.raises(NotPrepared, match=f"there is no {name} in "):
        Cifar10().load(tiny)


class Exploding:
    def __reduce__(self):
        return (pytest.fail, ("a pickle with another sum was opened",))


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_file_with_another_sum_is_named_and_never_opened(tiny, name):
    path = tiny / "cifar-10-batches-py" / name
    path.write_bytes(pickle.dumps(Exploding()))
    with pytest.raises(BadInput) as caught:
        Cifar10().load(tiny)
    assert str(caught.value) == (
        f"not the published file, by its md5 sum: {path}\n"
        "  Delete it and prepare the data set again."
    )


def test_without_a_network_prepare_says_where_the_file_can_be_put(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise URLError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(NotPrepared) as caught:
        Cifar10().prepare(tmp_path)
    text = str(caught.value)
    assert text.startswith(
        "CIFAR-10 could not be fetched from "
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz\n"
        "  Because: <urlopen error no network here>\n"
    )
    assert f"put cifar-10-python.tar.gz, as published or unpacked, into {tmp_path}\n" in text


def test_what_is_whole_is_not_fetched_again(tiny, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("fetched"))
    Cifar10().prepare(tiny)
