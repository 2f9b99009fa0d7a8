"""Files of a store that may hold anything, read with the place where they stop making sense."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from reprlib import repr as brief
from typing import Any

from ganbench.errors import StoreError
from ganbench.files import LARGEST
from ganbench.records import SCHEMA, is_newer
from ganbench.upkeep.shapes import Shape, Shaping


class Damaged(Exception):
    """Its content is not what was written, or it is no file at all."""


class Shut(StoreError):
    """The system does not let us read it, so that nothing is known of its content."""


class Newer(Exception):
    """A newer ganbench wrote it."""


@dataclass(frozen=True)
class Lines:
    """A file of records, a JSON object a line.

    Args:
        records: those that could be read, in their order.
        sound: these lines as they are in the file.
        before: the lines before the first that could not be read, as they are.
        fault: what is wrong with that; empty if nothing is.
        torn: whether there is more behind the last whole line.
    """

    records: tuple[dict[str, Any], ...] = ()
    sound: bytes = b""
    before: bytes = b""
    fault: str = ""
    torn: bool = False


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A plain file, open for reading; a link is none.

    Raises:
        Damaged: it is not there, or no plain file.
        Shut: it can't be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Damaged("it is no plain file")
            yield file
    except FileNotFoundError:
        raise Damaged("it is not there") from None
    except OSError as error:
        if path.is_symlink():
            raise Damaged("it is a link") from error
        if error.errno in (errno.ENXIO, errno.EISDIR):  # a socket, and a folder
            raise Damaged("it is no plain file") from error
        raise Shut(error.strerror) from error


def read_content(path: Path) -> bytes:
    """All of a plain file. Raises as `opened`, and Damaged where it is larger than any of ours."""
    with opened(path) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Damaged(f"it has more than {LARGEST:,} bytes, as none of ours has")
    return content


def read_record(path: Path, shape: Shape) -> dict[str, Any]:
    """Read a JSON object of that shape.

    Raises:
        Damaged: it is something else.
        Shut: it can't be read.
        Newer: its schema is one that is not known yet.
    """
    return _record(read_content(path), lambda _: shape)


def read_lines(path: Path, shape_of: Shaping) -> Lines:
    """Read JSON objects, each of its shape, as far as there are any. Raises as `read_record`."""
    content = read_content(path)
    whole = content[: content.rfind(b"\n") + 1]
    records, sound, before, fault = [], [], 0, ""
    for number, line in enumerate(whole.split(b"\n")[:-1], 1):
        try:
            records.append(_record(line, shape_of))
        except Damaged as error:
            fault = fault or f"line {number}: {error}"
        else:
            sound.append(line + b"\n")
            before += 0 if fault else len(line) + 1
    return Lines(tuple(records), b"".join(sound), whole[:before], fault, len(whole) < len(content))


def digest_of(path: Path) -> str:
    """The sha256 of a plain file. Raises as `opened`."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record(content: bytes, shape_of: Shaping) -> dict[str, Any]:
    try:
        record = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise Damaged(f"it is no JSON ({error})") from error
    if not isinstance(record, dict):
        raise Damaged("it is no JSON object")
    schema = record.get("schema", SCHEMA)
    if is_newer(record):
        raise Newer(f"it is of schema {schema}, and this ganbench reads schema {SCHEMA}")
    if schema != SCHEMA:
        raise Damaged(f"it is of schema {brief(schema)}, which never was")
    if fault := shape_of(record).misfit(record):
        raise Damaged(fault)
    return record
