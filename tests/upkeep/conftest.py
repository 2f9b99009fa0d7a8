"""A small store that was really run, and a way to tell what is in a folder."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

import ganbench
from ganbench.executors import worker
from ganbench.executors.job import Job
from ganbench.keeping import Interrupted
from ganbench.planning import plan
from ganbench.request import Request, Setup
from ganbench.store import RunFolder, Store

PROTOCOL = "quick:batch_size=4:evaluations=2:evaluation_samples=50:budget=20gsteps"
TINY = {"seeds": 1, "architectures": "mlp:width=8:depth=1", "metrics": "fd-points"}
DATA = "gaussian:size=500"


class Ran(NamedTuple):
    """A store, and the keys of its runs; the interrupted one has checkpoints at steps 10, 11."""

    path: Path
    completed: str
    diverged: str
    interrupted: str

    def run(self, name: str) -> RunFolder:
        return Store(self.path).run(getattr(self, name))


@pytest.fixture(scope="session")
def ran(tmp_path_factory, bundled) -> Ran:
    path = tmp_path_factory.mktemp("ran") / "store"
    ganbench.run("nonsat", DATA, protocol=PROTOCOL, store=path, jobs=1, device="cpu", **TINY)
    (completed,) = [folder.key for folder in Store(path).runs()]
    setup = Setup(path, path.parent / "data", "cpu")

    def do(protocol: str) -> str:
        request = Request("nonsat", DATA, protocol=protocol, **TINY)
        (experiment,) = plan(request, setup, bundled)
        Store(path).run(experiment.key).plan(experiment.recipe())
        data = str(setup.data_folder)
        job = Job("run", experiment.key, str(path), data, checkpoint_seconds=0.0)
        with suppress(Interrupted):
            worker.train_and_score(job, Store(path))
        return experiment.key

    diverged = do(f"{PROTOCOL}:generator_lr=1e30")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganbench.play.WINDOW", 1)
        patch.setattr(worker, "_asked_to_end", after_asking(11))
        interrupted = do(f"{PROTOCOL}:generator_lr=0.001")
    return Ran(path, completed, diverged, interrupted)


def after_asking(times: int):
    """In place of a signal: the run is asked to end when it looks for the nth time."""

    @contextmanager
    def asked() -> Iterator:
        calls = count(1)
        yield lambda: next(calls) >= times

    return asked


@pytest.fixture
def go_on(store) -> Callable[[RunFolder], None]:
    """Do a run that has no outcome, in this process."""

    def do(folder: RunFolder) -> None:
        data = str(store.path.parent / "data")
        worker.train_and_score(Job("run", folder.key, str(store.path), data), Store(store.path))

    return do


@pytest.fixture
def store(ran, tmp_path) -> Ran:
    """A copy of it that a test may damage."""
    shutil.copytree(ran.path, tmp_path / "store", symlinks=True)
    return ran._replace(path=tmp_path / "store")


@pytest.fixture
def contents() -> Callable[[Path], dict[str, str]]:
    """Tells everything in a folder: what it is, and when it was changed."""

    def told(folder: Path) -> dict[str, str]:
        found = {}
        for path in sorted(folder.rglob("*")):
            about = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            digest = hashlib.sha256(content).hexdigest()
            found[str(path.relative_to(folder))] = f"{about.st_mode} {about.st_mtime_ns} {digest}"
        return found

    return told
