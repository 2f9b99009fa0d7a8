"""Files that outlast a crash: each is there whole or not at all, and on disk when a call returns.

A file is written under another name in the same folder, synced, and renamed or linked into its
place; then its folder is synced. A line is appended and synced; a last line that was cut short by
a crash is no line, and the next append takes its place. What can't be written is a StoreError.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from ganbench.errors import StoreError

# Names that begin with it are of files that were being written when a process ended.
UNFINISHED = ".unfinished-"
# Through a link that somebody put into a store nothing outside it is written.
_FOR_WRITING = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
LARGEST = 2**28  # bytes that are read of a file; some 90 million steps of G fill it with events


def read_file(path: Path) -> bytes:
    """A file's content, read once. A link is not followed: a store may come from anywhere.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is a link or no plain file, can't be read, or is larger than any of ours.
    """
    check_plain(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(path, error.strerror) from error
    try:
        size = os.fstat(descriptor).st_size
        if size > LARGEST:
            raise unreadable(path, f"it has {size:,} bytes, more than {LARGEST:,}")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise unreadable(path, error.strerror) from error
    finally:
        os.close(descriptor)


def check_plain(path: Path) -> None:
    """Refuse what is no plain file: a link may lead anywhere, and a pipe never ends.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is something else, or can't be looked at.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if stat.S_ISLNK(mode):
        raise unreadable(path, "it is a link, and in a store none is followed")
    if not stat.S_ISREG(mode):
        raise unreadable(path, "it is no file")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; StoreError, naming the file, if it is none."""
    content = find_json(path)
    if content is None:
        raise unreadable(path, "No such file or directory")
    return content


def find_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where there is no file. StoreError as of `read_json`."""
    try:
        content = json.loads(read_file(path))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise unreadable(path, error) from error
    if not isinstance(content, dict):
        raise unreadable(path, "it is no JSON object")
    return content


def read_lines(
    path: Path, skipped: str = "", start: int = 0, end: int | None = None
) -> list[dict[str, Any]]:
    """All whole lines, each a JSON object; none where there is no file.

    Args:
        skipped: how lines begin that are left out, unread; empty for none.
        start: where to begin, in bytes; what is left of a line there is left out.
        end: before which to end, in bytes; None for the file's own end.

    Raises:
        StoreError: a whole line is something else.
    """
    try:
        content = read_file(path)
        if start and content[start - 1 : start] != b"\n":
            start = content.find(b"\n", start) + 1 or len(content)
        content = content[start:end]
        lines = content[: content.rfind(b"\n") + 1].decode().split("\n")[:-1]
        if skipped:
            lines = [line for line in lines if not line.startswith(skipped)]
        read = [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError) as error:
        raise unreadable(path, error) from error
    if not all(isinstance(line, dict) for line in read):
        raise unreadable(path, "a line is no JSON object")
    return read


def unreadable(path: Path, why: object) -> StoreError:
    """What is said of a file that is not as it should be."""
    return StoreError(f"'{path}' can't be read: {why}")


def encoded(content: Mapping[str, Any]) -> bytes:
    """JSON to be read by people too."""
    return json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_atomically(path, encoded(content))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole."""
    with writing(path), _synced_sibling(path, content) as sibling:
        os.replace(sibling, path)  # noqa: PTH105
        sync_folder(path.parent)


def write_exclusively(path: Path, content: bytes) -> bool:
    """Create a file as a whole; False if it is there already."""
    with writing(path), _synced_sibling(path, content) as sibling:
        try:
            os.link(sibling, path)
        except FileExistsError:
            return False
        sync_folder(path.parent)
        return True


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Add a JSON object to a file of lines, of which nobody else is a writer."""
    content = json.dumps(line, allow_nan=True).encode() + b"\n"
    is_new = not path.exists()
    with writing(path), _opened(path) as descriptor:
        end = _whole_lines(descriptor)
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        _write(descriptor, content)
        if is_new:
            sync_folder(path.parent)


def cut(path: Path, size: int) -> None:
    """Forget what was appended to a file since it had this size."""
    with writing(path), _opened(path) as descriptor:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)


def remove(path: Path) -> None:
    """Delete a file, if it is there, for good."""
    with writing(path), suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, and have them on disk."""
    if not path.is_dir():
        make_folder(path.parent)
        with writing(path):
            path.mkdir(exist_ok=True)
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within, a disk that is full or a folder that is read-only is one message."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"'{path}' can't be written: {error.strerror or error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, _FOR_WRITING, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _synced_sibling(path: Path, content: bytes) -> Iterator[Path]:
    """A file in the same folder that holds the content; it is gone afterwards."""
    make_folder(path.parent)
    sibling = path.parent / f"{UNFINISHED}{path.name}-{uuid4().hex[:12]}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(sibling, flags, 0o666)
        try:
            _write(descriptor, content)
        finally:
            os.close(descriptor)
        yield sibling
    finally:
        with suppress(OSError):
            sibling.unlink(missing_ok=True)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _whole_lines(descriptor: int) -> int:
    """Where the last whole line ends."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
