"""Files are whole or not there, whatever fails meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from ganbench import files
from ganbench.errors import StoreError
from ganbench.files import (
    append_line,
    cut,
    make_folder,
    read_json,
    read_lines,
    remove,
    write_atomically,
    write_exclusively,
    write_json,
)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def full(*_):
    raise OSError(28, "No space left on device")


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert entries(path.parent) == ["file"]


@pytest.mark.parametrize("broken", ["open", "write", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, broken):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with monkeypatch.context() as patched:
        patched.setattr(files.os, broken, full)
        with pytest.raises(StoreError) as refused:
            write_atomically(path, b"new")
    assert str(refused.value) == f"'{path}' can't be written: No space left on device"
    assert path.read_bytes() == b"old"
    assert entries(tmp_path) == ["file"]


@pytest.mark.parametrize("broken", ["open", "write", "fsync", "link"])
def test_an_exclusive_write_that_fails_leaves_nothing(tmp_path, monkeypatch, broken):
    with monkeypatch.context() as patched:
        patched.setattr(files.os, broken, full)
        with pytest.raises(StoreError, match="No space left"):
            write_exclusively(tmp_path / "file", b"new")
    assert entries(tmp_path) == []


def test_a_disk_that_takes_a_part_of_a_write_is_given_the_rest(tmp_path, monkeypatch):
    whole = files.os.write
    monkeypatch.setattr(files.os, "write", lambda fd, content: whole(fd, content[:3]))
    write_atomically(tmp_path / "file", b"0123456789")
    append_line(tmp_path / "lines", {"a": "bcdefg"})
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert read_lines(tmp_path / "lines") == [{"a": "bcdefg"}]


def test_a_line_takes_the_place_of_one_that_was_cut_short(tmp_path):
    path = tmp_path / "lines"
    for whole in (b"", b'{"n": 1}\n', b'{"n": 1}\n' * 2000):
        for torn in (b"", b"{", b'{"n": 2', b'{"text": "' + b"x" * 9000):
            path.write_bytes(whole + torn)
            append_line(path, {"n": 3})
            assert path.read_bytes() == whole + b'{"n": 3}\n'


def test_lines_are_read_between_two_sizes(tmp_path):
    path = tmp_path / "lines"
    sizes = [0]
    for number in range(4):
        append_line(path, {"n": number})
        sizes.append(path.stat().st_size)
    assert read_lines(path, start=sizes[1], end=sizes[3]) == [{"n": 1}, {"n": 2}]
    assert read_lines(path, start=sizes[1] + 3) == [{"n": 2}, {"n": 3}]  # from within a line
    assert read_lines(path, end=sizes[2] - 1) == [{"n": 0}]
    assert read_lines(path, start=sizes[4]) == []
    assert read_lines(path, start=sizes[4] - 1) == []


def test_lines_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "lines"
    assert read_lines(path) == []
    for content in (b"{\n", b"[1]\n", b"\xff\n", b"[" * 100_000 + b"\n"):
        path.write_bytes(content)
        with pytest.raises(StoreError) as refused:
            read_lines(path)
        assert str(refused.value).startswith(f"'{path}' can't be read: ")


def test_a_file_is_cut_to_a_size_that_it_had(tmp_path):
    path = tmp_path / "lines"
    append_line(path, {"n": 1})
    size = path.stat().st_size
    append_line(path, {"n": 2})
    cut(path, size)
    assert read_lines(path) == [{"n": 1}]


def test_removing_what_is_not_there_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    remove(tmp_path / "file")
    remove(tmp_path / "file")
    assert entries(tmp_path) == []


def test_folders_are_made_with_their_parents(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be written"):
        make_folder(tmp_path / "file" / "b")


def test_the_first_writer_wins(tmp_path):
    path = tmp_path / "file"
    assert write_exclusively(path, b"first") is True
    assert write_exclusively(path, b"second") is False
    assert path.read_bytes() == b"first"
    assert entries(tmp_path) == ["file"]


def test_of_two_processes_each_file_has_one_winner(tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ganbench.files import write_exclusively\n"
        "folder, name = Path(sys.argv[1]), sys.argv[2]\n"
        "while not (folder / 'go').exists(): pass\n"
        "won = [n for n in range(40) if write_exclusively(folder / str(n), name.encode() * 999)]\n"
        "print(*won)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    (tmp_path / "go").touch()
    won = {name: set(p.communicate()[0].split()) for name, p in zip("ab", started, strict=True)}
    assert [p.returncode for p in started] == [0, 0]
    assert won["a"] | won["b"] == {str(n) for n in range(40)}
    assert not won["a"] & won["b"]
    for name, numbers in won.items():
        assert all((tmp_path / n).read_text() == name * 999 for n in numbers)
    assert len(entries(tmp_path)) == 41


def test_json_is_written_to_be_read_by_people_too(tmp_path):
    write_json(tmp_path / "x.json", {"b": [1], "a": None})
    assert (tmp_path / "x.json").read_text() == '{\n "a": null,\n "b": [\n  1\n ]\n}\n'
    assert read_json(tmp_path / "x.json") == {"b": [1], "a": None}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting"),
        (b"[1]", "it is no JSON object"),
        (b"\xff", ""),
    ],
)
def test_json_that_cannot_be_read_is_named(tmp_path, content, why):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        read_json(path)
    assert str(refused.value).startswith(f"'{path}' can't be read: ")
    assert why in str(refused.value)
    with pytest.raises(StoreError, match="No such file"):
        read_json(tmp_path / "none.json")
