import sys
from hashlib import md5
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CelebA

from ganbench.api import BadInput, NotPrepared
from ganbench_plugins.datasets import celeba, decoded_images
from ganbench_plugins.datasets.celeba import Celeba

COUNT = 6
ZIP = "img_align_celeba.zip"


def jpeg(number: int) -> bytes:
    """An image of the published size; smooth, and unlike the others."""
    coarse = np.random.default_rng(number).integers(0, 256, (7, 6, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(coarse).resize((178, 218), Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()


def named(number: int) -> str:
    return f"img_align_celeba/{number:06}.jpg"


def write_zip(path: Path, numbers=range(1, COUNT + 1)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w") as archive:
        for number in numbers:
            archive.writestr(named(number), jpeg(number))


@pytest.fixture(autouse=True)
def _of_six_images(monkeypatch):
    monkeypatch.setattr(celeba, "_COUNT", COUNT)
    parts = {"all": (0, 6), "train": (0, 3), "valid": (3, 5), "test": (5, 6)}
    monkeypatch.setattr(celeba, "_PARTS", parts)


@pytest.fixture
def folder(tmp_path) -> Path:
    write_zip(tmp_path / "celeba" / ZIP)
    return tmp_path


def by_pillow(number: int, box: tuple[int, int, int, int], size: int) -> list:
    image = Image.open(BytesIO(jpeg(number))).crop(box).resize((size, size), Image.LANCZOS)
    return np.asarray(image).transpose(2, 0, 1).tolist()


def test_the_centre_is_cut_out_and_scaled(folder):
    data = Celeba().load(folder)
    assert data.samples.shape == (COUNT, 3, 64, 64)
    assert data.samples.dtype == torch.uint8
    assert data.split == "all"
    assert data.labels is None
    for number in (1, 6):
        # (218 - 178) / 2 = 20 rows go above, and as many below.
        assert data.samples[number - 1].tolist() == by_pillow(number, (0, 20, 178, 198), 64)


def test_another_crop_and_size(folder):
    data = Celeba(size=32, crop=108).load(folder)
    # (178 - 108) / 2 = 35 columns go, and (218 - 108) / 2 = 55 rows.
    assert data.samples[2].tolist() == by_pillow(3, (35, 55, 143, 163), 32)


def test_the_unpacked_folder_is_the_same_data(folder, tmp_path):
    with ZipFile(folder / "celeba" / ZIP) as archive:
        archive.extractall(tmp_path / "unpacked" / "celeba")
    unpacked = Celeba().load(tmp_path / "unpacked")
    assert unpacked.fingerprint() == Celeba().load(folder).fingerprint()


@pytest.mark.parametrize(
    ("split", "first", "last"), [("train", 1, 3), ("valid", 4, 5), ("test", 6, 6)]
)
def test_the_parts_follow_one_another(folder, split, first, last):
    whole, part = Celeba().load(folder), Celeba(split).load(folder)
    assert part.split == split
    assert torch.equal(part.samples, whole.samples[first - 1 : last])


def test_the_published_parts(monkeypatch):
    monkeypatch.undo()
    sizes = {name: end - start for name, (start, end) in celeba._PARTS.items()}
    # As the data set's page has them.
    assert sizes == {"all": 202_599, "train": 162_770, "valid": 19_867, "test": 19_962}


def test_the_second_load_decodes_nothing(folder, monkeypatch):
    first = Celeba().load(folder)
    monkeypatch.setattr(decoded_images, "decode", lambda *_: pytest.fail("decoded again"))
    assert Celeba().load(folder).fingerprint() == first.fingerprint()
    with pytest.raises(pytest.fail.Exception):
        Celeba(crop=140).load(folder)


def test_nothing_there(tmp_path):
    with pytest.raises(NotPrepared) as caught:
        Celeba().load(tmp_path)
    assert str(caught.value) == (
        f"there is neither img_align_celeba.zip nor img_align_celeba in {tmp_path}/celeba"
    )


def test_images_lack(tmp_path):
    path = tmp_path / "celeba" / ZIP
    write_zip(path, range(1, COUNT))
    with pytest.raises(BadInput) as caught:
        Celeba("train").load(tmp_path)
    assert str(caught.value) == (
        f"{path} holds 5 images, not CelebA's 6\n  Delete it and prepare the data set again."
    )


def test_a_damaged_zip(folder):
    path = folder / "celeba" / ZIP
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(BadInput, match=f"^{path} can't be read as a zip of images"):
        Celeba().load(folder)


def test_a_damaged_image_is_named(folder):
    path = folder / "celeba" / ZIP
    content = bytearray(path.read_bytes())
    content[content.index(jpeg(3)) + 1000] ^= 255
    path.write_bytes(content)
    with pytest.raises(BadInput, match=f"^{path}: {named(3)} can't be read as an image: Bad CRC"):
        Celeba().load(folder)


def test_images_smaller_than_the_crop(folder):
    stream = BytesIO()
    Image.new("RGB", (150, 218)).save(stream, "JPEG")
    with ZipFile(folder / "celeba" / ZIP, "w") as archive:
        for number in range(1, COUNT + 1):
            archive.writestr(named(number), stream.getvalue())
    with pytest.raises(BadInput, match="150 x 218 is too small to cut 178 x 178 out of it"):
        Celeba().load(folder)


def fetch_error(folder: Path) -> str:
    with pytest.raises(NotPrepared) as caught:
        Celeba().prepare(folder)
    return str(caught.value)


def test_without_gdown_prepare_says_where_the_file_can_be_put(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gdown", None)
    text = fetch_error(tmp_path)
    assert text.startswith(
        "CelebA could not be fetched from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html\n"
    )
    assert "pip install gdown" in text
    assert f"put {ZIP}, as published or unpacked, into {tmp_path}/celeba\n" in text


@pytest.mark.parametrize(
    "error", [ConnectionError, type("FileURLRetrievalError", (Exception,), {})]
)
def test_a_failed_download(tmp_path, monkeypatch, error):
    def download(**_):
        raise error("too many users have downloaded this file")

    monkeypatch.setitem(sys.modules, "gdown", SimpleNamespace(download=download))
    assert "  Because: too many users have downloaded this file\n" in fetch_error(tmp_path)


def test_what_is_fetched_is_checked(tmp_path, monkeypatch):
    def download(output, **_):
        Path(output).write_bytes(b"<html>try again later</html>")

    monkeypatch.setitem(sys.modules, "gdown", SimpleNamespace(download=download))
    assert "  Because: File not found or corrupted.\n" in fetch_error(tmp_path)


def test_prepare_fetches_the_zip_alone(tmp_path, monkeypatch):
    write_zip(tmp_path / "published.zip")
    content = (tmp_path / "published.zip").read_bytes()
    listed = [("id", md5(content).hexdigest(), ZIP), ("other", "0", "list_attr_celeba.txt")]
    monkeypatch.setattr(CelebA, "file_list", listed)
    fetched = []

    def download(output, **asked):
        fetched.append(asked["id"])
        Path(output).write_bytes(content)

    monkeypatch.setitem(sys.modules, "gdown", SimpleNamespace(download=download))
    Celeba().prepare(tmp_path / "data")
    Celeba().prepare(tmp_path / "data")
    assert fetched == ["id"]
    assert len(Celeba().load(tmp_path / "data")) == COUNT
