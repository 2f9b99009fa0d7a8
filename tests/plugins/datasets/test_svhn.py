from hashlib import md5
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torchvision.datasets import SVHN

from ganbench.api import BadInput, NotPrepared
from ganbench_plugins.datasets.svhn import Svhn

LABELS = {"train": [10, 1, 9], "test": [5, 10], "extra": [2, 2, 3, 10]}


def pixels(split: str) -> np.ndarray:
    """As in the published files: rows, columns, colours, images."""
    count = len(LABELS[split])
    generator = np.random.default_rng(count)
    return generator.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Path:
    """Hand-made files of a few images; their sums, still checked, are put for the published."""
    folder = tmp_path / "SVHN"
    folder.mkdir()
    listed = {}
    for split, (url, name, _) in SVHN.split_list.items():
        labels = np.array(LABELS[split], dtype=np.uint8)[:, None]
        savemat(folder / name, {"X": pixels(split), "y": labels})
        listed[split] = [url, name, md5((folder / name).read_bytes()).hexdigest()]
    monkeypatch.setattr(SVHN, "split_list", listed)
    return tmp_path


@pytest.mark.parametrize(
    ("split", "labels"), [("train", [0, 1, 9]), ("test", [5, 0]), ("extra", [2, 2, 3, 0])]
)
def test_images_and_labels_of_each_split(tiny, split, labels):
    data = Svhn(split).load(tiny)
    assert data.split == split
    assert data.samples.dtype == torch.uint8
    assert data.samples.shape == (len(labels), 3, 32, 32)
    assert data.samples.is_contiguous()
    published = pixels(split)
    for image, channel, row, column in [(0, 0, 0, 0), (1, 2, 3, 31), (1, 1, 30, 4)]:
        assert data.samples[image, channel, row, column] == published[row, column, channel, image]
    assert data.labels is not None
    assert data.labels.dtype == torch.int64
    assert data.labels.tolist() == labels


def test_the_training_split_is_the_default(tiny):
    assert Svhn().load(tiny).split == "train"


def test_the_published_sums_are_asked_for():
    assert [name for _, name, _ in SVHN.split_list.values()] == [
        "train_32x32.mat",
        "test_32x32.mat",
        "extra_32x32.mat",
    ]
    assert all(len(md5_sum) == 32 for _, _, md5_sum in SVHN.split_list.values())


def test_nothing_there(tmp_path):
    with pytest.raises(NotPrepared) as caught:
        Svhn("test").load(tmp_path)
    assert str(caught.value) == f"there is no test_32x32.mat in {tmp_path}/SVHN"


def test_a_file_with_another_sum_is_named(tiny):
    path = tiny / "SVHN" / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadInput) as caught:
        Svhn().load(tiny)
    assert str(caught.value) == (
        f"not the published file, by its md5 sum: {path}\n"
        "  Delete it and prepare the data set again."
    )


def test_what_is_whole_is_not_fetched_again(tiny, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("fetched"))
    Svhn().prepare(tiny)


def test_prepare_fetches_the_split_that_is_asked_for(tiny, monkeypatch):
    asked = []

    def download(url, root, filename, md5_sum):
        asked.append((url, md5_sum == SVHN.split_list["extra"][2]))
        (Path(root) / filename).write_bytes(content)

    path = tiny / "SVHN" / "extra_32x32.mat"
    content = path.read_bytes()
    path.unlink()
    (tiny / "SVHN" / "test_32x32.mat").unlink()
    monkeypatch.setattr("torchvision.datasets.svhn.download_url", download)
    Svhn("extra").prepare(tiny)
    assert asked == [("http://ufldl.stanford.edu/housenumbers/extra_32x32.mat", True)]
    assert len(Svhn("extra").load(tiny)) == 4


def test_without_a_network_prepare_says_where_the_file_can_be_put(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise URLError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(NotPrepared) as caught:
        Svhn("extra").prepare(tmp_path)
    text = str(caught.value)
    assert text.startswith(
        "SVHN could not be fetched from "
        "http://ufldl.stanford.edu/housenumbers/extra_32x32.mat\n"
        "  Because: <urlopen error no network here>\n"
    )
    assert f"put extra_32x32.mat, as published or unpacked, into {tmp_path}/SVHN\n" in text
