import os
from zipfile import ZipFile

import pytest

from ganbench.api import BadInput
from ganbench_plugins.datasets.image_files import image_files, located

CONTENT = {
    "b/10.PNG": b"ten",
    "b/9.jpeg": b"nine",
    "a.webp": b"a",
    "B.jpg": b"B",
    "notes.txt": b"no image",
    ".hidden.png": b"hidden",
    ".git/x.png": b"hidden",
    "__MACOSX/a.webp": b"fork",
}
SEEN = ["B.jpg", "a.webp", "b/10.PNG", "b/9.jpeg"]


@pytest.fixture(params=["folder", "zip"])
def source(request, tmp_path):
    if request.param == "zip":
        with ZipFile(tmp_path / "images.zip", "w") as archive:
            archive.mkdir("b")
            for name, content in CONTENT.items():
                archive.writestr(name, content)
        return tmp_path / "images.zip"
    for name, content in CONTENT.items():
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "images"


def test_images_come_by_name_wherever_they_lie(source):
    with image_files(source) as files:
        assert list(files.stamps) == SEEN
        assert [files.read(name) for name in SEEN] == [CONTENT[name] for name in SEEN]
        assert [size for size, _ in files.stamps.values()] == [1, 1, 3, 4]


def test_a_changed_file_changes_its_stamp(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    with image_files(tmp_path) as files:
        before = files.stamps
    path.write_bytes(b"two")
    os.utime(path, ns=(0, before["a.png"][1] + 1))
    with image_files(tmp_path) as files:
        assert files.stamps != before


def test_links_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.png").write_bytes(b"x")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "linked").symlink_to(tmp_path / "real")
    with image_files(tmp_path / "images") as files:
        assert list(files.stamps) == ["linked/x.png"]


def test_a_link_that_leads_back(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    with (
        pytest.raises(
            BadInput, match=rf"^{tmp_path}/a/back is a link that leads back to {tmp_path}$"
        ),
        image_files(tmp_path),
    ):
        pass


def test_a_link_to_nothing(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    with (
        pytest.raises(BadInput, match=rf"^{tmp_path} can't be read: .*gone\.png"),
        image_files(tmp_path),
    ):
        pass


def test_no_image(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with (
        pytest.raises(BadInput, match=rf"^no image is in {tmp_path}: none ends in \.bmp, \.jpeg,"),
        image_files(tmp_path),
    ):
        pass


def test_an_empty_zip(tmp_path):
    with ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with (
        pytest.raises(BadInput, match=r"^no image is in .*/empty\.zip: "),
        image_files(tmp_path / "empty.zip"),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_no_zip(tmp_path, content):
    path = tmp_path / "images.zip"
    path.write_bytes(content)
    with (
        pytest.raises(BadInput, match=rf"^{path} can't be read as a zip of images: File is not a"),
        image_files(path),
    ):
        pass


def test_a_path_is_found_from_home_and_through_links(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert located("~/link") == tmp_path / "real"


def test_a_path_that_leads_nowhere(tmp_path):
    with pytest.raises(BadInput, match=rf"^there is no folder or zip of images at {tmp_path}/no$"):
        located(f"{tmp_path}/no")


def test_a_path_that_is_a_loop(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(BadInput, match="loop"):
        located(str(tmp_path / "loop"))
