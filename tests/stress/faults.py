"""Kill this process, or fail its writes, at the N-th boundary: a moment when it changes the disk.

Every call that creates, writes, syncs, renames, links, cuts or deletes in the store is one,
whoever makes it: `os` itself is wrapped, and no code of ganbench knows. `install` is called in
each process before anything of ganbench runs. What happens is in GANBENCH_FAULT, as JSON:

    store  the folder whose boundaries count
    log    a file that gets a line for every boundary, and for every outcome that is written
    role   whose boundaries count: of "parent", "run" and "time" (workers); or "any"
    at     strike at the boundary of this number, from 1, of one process; 0 for never
    what   "kill" (before the call), "kill-after", "short" (half of a write, then kill), or
           the name of an error, such as "ENOSPC", that the call fails with
    spent  a file that is made when it has struck, so that nobody is struck again; empty for an
           error that stays: every boundary from there on fails, in every process
"""

import builtins
import errno
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

VARIABLE = "GANBENCH_FAULT"
_OF_PATHS = ("mkdir", "rmdir", "unlink", "remove")
_OF_PAIRS = ("link", "rename", "replace")
_OF_DESCRIPTORS = ("write", "fsync", "ftruncate")
_REAL = {n: getattr(os, n) for n in (*_OF_PATHS, *_OF_PAIRS, *_OF_DESCRIPTORS, "open", "close")}
_REAL_OPEN = io.open


class _Faults:
    """Of this process; a child that is forked makes its own."""

    def __init__(self, told: dict[str, Any], role: str) -> None:
        self.told = told
        self.role = role
        self.store = told["store"]
        self.passed = 0
        self.opened: dict[int, str] = {}

    def of_store(self, path: Any, dir_fd: int | None = None) -> str | None:
        """The path's part in the store; None elsewhere."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        text = os.fsdecode(path)
        if dir_fd is not None and not text.startswith("/"):
            folder = self.opened.get(dir_fd)
            return None if folder is None else f"{folder}/{text}"
        text = str(Path(text).absolute())
        within = text == self.store or text.startswith(f"{self.store}/")
        return text[len(self.store) :] or "/" if within else None

    def at_boundary(
        self, operation: str, path: str, call: Callable[[], Any], half: Callable[[], Any]
    ) -> Any:
        self.passed += 1
        self.note(self.passed, operation, path)
        what = self._due()
        if what == "short":
            half()
        if what in ("kill", "short"):
            os.kill(os.getpid(), signal.SIGKILL)
        if what and not what.startswith("kill"):
            number = getattr(errno, what)
            raise OSError(number, os.strerror(number), path)
        try:
            return call()
        finally:
            if what:
                os.kill(os.getpid(), signal.SIGKILL)

    def _due(self) -> str:
        told = self.told
        if told["role"] not in ("any", self.role) or not 0 < told["at"] <= self.passed:
            return ""
        if told["spent"]:
            if told["at"] != self.passed:
                return ""
            try:
                _REAL["close"](_REAL["open"](told["spent"], os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                return ""
        return str(told["what"])

    def note(self, *words: object) -> None:
        line = " ".join(map(str, (os.getpid(), self.role, *words))) + "\n"
        descriptor = _REAL["open"](self.told["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
        _REAL["write"](descriptor, line.encode())
        _REAL["close"](descriptor)


_faults: _Faults | None = None


def install(role: str = "") -> None:
    """Wrap `os` where the variable says so; in a process that was forked, begin to count anew."""
    global _faults
    told = os.environ.get(VARIABLE)
    if not told:
        _faults = None
        return
    if _faults is None and os.open is _REAL["open"]:
        _wrap()
    _faults = _Faults(json.loads(told), role or _own_role())


def _own_role() -> str:
    if "GANBENCH_PARENT" not in os.environ:
        return "parent"
    return "time" if '"task": "time"' in sys.orig_argv[-1] else "run"


def _nothing() -> None: ...


def _wrap() -> None:
    for name in _OF_PATHS:
        setattr(os, name, _path_call(name))
    for name in _OF_PAIRS:
        setattr(os, name, _pair_call(name))
    for name in _OF_DESCRIPTORS:
        setattr(os, name, _descriptor_call(name))
    os.open, os.close = _open, _close
    io.open = builtins.open = _open_file  # type: ignore[assignment]
    for able in (os.supports_dir_fd, os.supports_follow_symlinks):
        able.update(getattr(os, n) for n, real in _REAL.items() if real in able)


def _path_call(name: str) -> Callable[..., Any]:
    def call(path: Any, *args: Any, **kwargs: Any) -> Any:
        found = _faults and _faults.of_store(path, kwargs.get("dir_fd"))
        if not found:
            return _REAL[name](path, *args, **kwargs)
        return _faults.at_boundary(
            name, found, lambda: _REAL[name](path, *args, **kwargs), _nothing
        )

    return call


def _pair_call(name: str) -> Callable[..., Any]:
    def call(source: Any, target: Any, **kwargs: Any) -> Any:
        found = _faults and _faults.of_store(target, kwargs.get("dst_dir_fd"))
        if not found:
            return _REAL[name](source, target, **kwargs)

        def go() -> None:
            _REAL[name](source, target, **kwargs)
            if Path(found).name == "outcome.json":
                with _REAL_OPEN(target) as file:
                    content = json.load(file)
                _faults.note("ended", content["outcome"], content.get("attempt", 0), found)

        return _faults.at_boundary(name, found, go, _nothing)

    return call


def _descriptor_call(name: str) -> Callable[..., Any]:
    def call(descriptor: Any, *args: Any) -> Any:
        found = _faults and _faults.opened.get(descriptor)
        if not found:
            return _REAL[name](descriptor, *args)

        def half() -> None:
            if name == "write":
                _REAL[name](descriptor, args[0][: len(args[0]) // 2])

        return _faults.at_boundary(name, found, lambda: _REAL[name](descriptor, *args), half)

    return call


_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    def go() -> int:
        return int(_REAL["open"](path, flags, mode, dir_fd=dir_fd))

    found = _faults and _faults.of_store(path, dir_fd)
    if not found:
        return go()
    changes = flags & _CHANGES
    descriptor = _faults.at_boundary("open", found, go, _nothing) if changes else go()
    _faults.opened[descriptor] = found
    return int(descriptor)


def _close(descriptor: int) -> None:
    if _faults:
        _faults.opened.pop(descriptor, None)
    _REAL["close"](descriptor)


def _open_file(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    def go() -> Any:
        return _REAL_OPEN(file, mode, *args, **kwargs)

    found = _faults and _faults.of_store(file)
    if not found or not set(mode) & set("wax+"):
        return go()
    return _faults.at_boundary("open", found, go, _nothing)


def site(folder: Path) -> str:
    """Make a folder that installs this in every Python that has it in its PYTHONPATH."""
    folder.mkdir(exist_ok=True)
    own = Path(__file__).resolve()
    (folder / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        f"s = u.spec_from_file_location('ganbench_test_faults', {str(own)!r})\n"
        "m = u.module_from_spec(s)\ns.loader.exec_module(m)\nm.install()\n"
    )
    return str(folder)
