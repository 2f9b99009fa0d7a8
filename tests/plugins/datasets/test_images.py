import os
import warnings
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.api import BadInput
from ganbench_plugins.datasets import decoded_images as module
from ganbench_plugins.datasets.images import Images


def png(value: int, width: int = 4, height: int = 3) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (width, height), (value, value, value)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three images; value 0 in the one that sorts first."""
    root = tmp_path / "images"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "c.png").write_bytes(png(2))
    (root / "b.png").write_bytes(png(1))
    (root / "a.png").write_bytes(png(0))
    return root


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


def load_error(dataset: Images, data: Path) -> str:
    with pytest.raises(BadInput) as caught:
        dataset.load(data)
    return str(caught.value)


def test_images_come_in_the_order_of_their_names(folder, data):
    loaded = Images(str(folder)).load(data)
    assert loaded.samples.dtype == torch.uint8
    assert loaded.samples.shape == (3, 3, 3, 4)
    assert loaded.samples[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert loaded.split == "all"
    assert loaded.labels is None


def test_a_zip_of_a_folder_is_the_same_data(folder, data, tmp_path):
    archive = tmp_path / "images.zip"
    with ZipFile(archive, "w") as file:
        for name in ("sub/c.png", "b.png", "a.png"):
            file.write(folder / name, name)
    from_zip, from_folder = Images(str(archive)).load(data), Images(str(folder)).load(data)
    assert from_zip.fingerprint() == from_folder.fingerprint()


def test_size_and_channels(folder, data):
    (folder / "b.png").write_bytes(png(1, 9, 20))
    assert Images(str(folder), size=2, channels=1).load(data).samples.shape == (3, 1, 2, 2)


def test_nothing_is_fetched(folder, data):
    Images(str(folder)).prepare(data)
    assert not data.exists()


def test_the_second_load_decodes_nothing(folder, data, monkeypatch):
    first = Images(str(folder)).load(data)
    monkeypatch.setattr(module, "decode", lambda *_: pytest.fail("decoded again"))
    second = Images(f"{folder}/../images/").load(data)
    assert first.fingerprint() == second.fingerprint()
    assert len(list((data / "cache").iterdir())) == 1


def test_each_setting_has_its_own_cache(folder, data):
    shapes = [
        tuple(Images(str(folder), size, channels).load(data).samples.shape[1:])
        for size, channels in [(0, 3), (2, 3), (2, 1), (0, 3)]
    ]
    assert shapes == [(3, 3, 4), (3, 2, 2), (1, 2, 2), (3, 3, 4)]
    assert len(list((data / "cache").iterdir())) == 3


def test_changed_files_are_decoded_anew(folder, data):
    Images(str(folder)).load(data)
    time = (folder / "b.png").stat().st_mtime_ns
    (folder / "b.png").write_bytes(png(9))
    os.utime(folder / "b.png", ns=(time, time + 1))
    assert Images(str(folder)).load(data).samples[:, 0, 0, 0].tolist() == [0, 9, 2]
    (folder / "sub" / "c.png").unlink()
    assert Images(str(folder)).load(data).samples[:, 0, 0, 0].tolist() == [0, 9]


def test_a_damaged_cache_is_rebuilt(folder, data):
    first = Images(str(folder)).load(data)
    (cached,) = (data / "cache").iterdir()
    whole = cached.read_bytes()
    cached.write_bytes(whole[:-3])
    assert Images(str(folder)).load(data).fingerprint() == first.fingerprint()
    assert cached.read_bytes() == whole


def test_the_first_that_differs_is_named(folder, data):
    (folder / "b.png").write_bytes(png(1, 5, 3))
    (folder / "sub" / "c.png").write_bytes(png(1, 6, 3))
    assert load_error(Images(str(folder)), data) == (
        f"{folder}: b.png is 5 x 3, but a.png is 4 x 3; "
        "give a size to make them equal, such as size=64"
    )
    assert not data.exists()


@pytest.mark.parametrize("name", ["a.png", "sub/c.png"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is in no format that Pillow knows"),
        (b"no image", "it is in no format that Pillow knows"),
        (png(1)[:45], "image file is truncated"),
        (png(1)[:33] + b"\0" * 40, "it is in no format that Pillow knows"),
    ],
    ids=["zero-bytes", "text", "truncated", "corrupt"],
)
def test_a_file_that_is_no_image_is_named(folder, data, name, content, reason):
    (folder / name).write_bytes(content)
    text = load_error(Images(str(folder)), data)
    assert text.startswith(f"{folder}: {name} can't be read as an image: ")
    assert reason in text
    assert not data.exists()


def test_a_truncated_jpeg(folder, data):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(noise).save(stream, "JPEG")
    (folder / "b.jpg").write_bytes(stream.getvalue()[:2000])
    assert f"{folder}: b.jpg can't be read as an image: image file is truncated" in load_error(
        Images(str(folder), size=3), data
    )


def noisy(seed: int) -> bytes:
    """An image of more than 4,096 bytes, so that threads decode it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    assert len(stream.getvalue()) > 4096
    return stream.getvalue()


def test_threads_keep_the_order(data, tmp_path):
    for place in range(30):
        (tmp_path / f"{place:02}.png").write_bytes(noisy(place))
    samples = Images(str(tmp_path)).load(data).samples
    for place in range(30):
        pixels = np.random.default_rng(place).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        assert samples[place].tolist() == pixels.transpose(2, 0, 1).tolist()


def test_threads_name_the_first_damaged_file(data, tmp_path):
    for place in range(30):
        broken = 3 if place in {11, 25} else 0
        (tmp_path / f"{place:02}.png").write_bytes(noisy(place)[: -1000 * broken or None])
    assert f"{tmp_path}: 11.png can't be read" in load_error(Images(str(tmp_path)), data)


def test_a_damaged_file_in_a_zip_is_named_with_its_zip(data, tmp_path):
    archive = tmp_path / "images.zip"
    with ZipFile(archive, "w") as file:
        file.writestr("a.png", png(0))
        file.writestr("b.png", png(1))
    content = archive.read_bytes()
    place = content.rindex(b"IDAT")
    archive.write_bytes(content[:place] + b"XXXX" + content[place + 4 :])
    assert load_error(Images(str(archive)), data) == (
        f"{archive}: b.png can't be read as an image: Bad CRC-32 for file 'b.png'"
    )


def test_too_many_pixels(folder, data, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 11)
    text = load_error(Images(str(folder)), data)
    assert text.startswith(f"{folder}: a.png can't be read as an image: Image size (12 pixels)")


def test_warnings_are_as_before_afterwards(folder, data):
    before = list(warnings.filters)
    Images(str(folder)).load(data)
    assert warnings.filters == before


def test_no_such_path(data):
    assert load_error(Images("/nonexistent/x"), data) == (
        "there is no folder or zip of images at /nonexistent/x"
    )


def test_an_empty_folder(data, tmp_path):
    (tmp_path / "empty").mkdir()
    assert load_error(Images(f"{tmp_path}/empty"), data).startswith(
        f"no image is in {tmp_path}/empty: none ends in .bmp,"
    )


def test_ten_thousand_real_images(real_data, data):
    archive = real_data / "cifar10-jpeg-test.zip"
    loaded = Images(str(archive)).load(data)
    assert loaded.samples.shape == (10_000, 3, 32, 32)
    with ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        for place in (0, 4321, 9999):
            image = Image.open(BytesIO(file.read(names[place])))
            assert loaded.samples[place].tolist() == (
                np.asarray(image.convert("RGB")).transpose(2, 0, 1).tolist()
            )
    assert Images(str(archive)).load(data).fingerprint() == loaded.fingerprint()
