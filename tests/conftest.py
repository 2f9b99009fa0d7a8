"""A small cell that trains in milliseconds, components that tests bring along, and real data."""

import gzip
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench.catalogue import Catalogue, Component, Kind, Origin, Plugin
from ganbench.data import Data
from ganbench.experiment import Experiment
from ganbench.keeping import Attempt
from ganbench.planning import load, plan
from ganbench.plugins import discover
from ganbench.request import Request, Setup
from ganbench.runner import run
from ganbench.store import RunFolder

_ROOT = Path(__file__).resolve().parents[1]
Catalogued = Callable[..., Catalogue]
Planned = Callable[..., tuple[Experiment, Data]]
Left = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or writes the user's cache, and no two sessions share one."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def bundled() -> Catalogue:
    return discover()


@pytest.fixture(scope="session")
def toys() -> Catalogued:
    """Make a catalogue of one plugin, `toys`, from (kind, name, class) triples."""

    def catalogue(*offers: tuple[Kind, str, str | type]) -> Catalogue:
        origin = Origin("toys", "toy-package", "1.0")
        return Catalogue((Plugin(origin, tuple(Component(*offer, origin) for offer in offers)),))

    return catalogue


@pytest.fixture
def planned(bundled: Catalogue, toys: Catalogued, tmp_path: Path) -> Planned:
    """Plan a run of tiny networks on 500 points of N(0, 1); return it with its data.

    `protocol` fields go over batch_size=4, evaluations=2, evaluation_samples=50, budget=10gsteps.
    """

    def make(
        loss: str = "nonsat",
        *offers: tuple[Kind, str, type],
        schedule: str = "k-step",
        metrics: str = "",
        **protocol: object,
    ) -> tuple[Experiment, Data]:
        fixed = {"batch_size": 4, "evaluations": 2, "evaluation_samples": 50, "budget": "10gsteps"}
        fields = "".join(f":{name}={value}" for name, value in {**fixed, **protocol}.items())
        request = Request(
            losses=loss,
            datasets="gaussian:size=500",
            schedules=schedule,
            architectures="mlp:width=8:depth=1",
            metrics=metrics,
            protocol=f"quick{fields}",
            seeds=1,
        )
        setup = Setup(tmp_path / "store", tmp_path / "data", "cpu")
        catalogue = Catalogue((*bundled.plugins, *toys(*offers).plugins))
        (experiment,) = plan(request, setup, catalogue)
        return experiment, load(experiment.dataset, setup.data_folder)

    return make


class Killed(KeyboardInterrupt):
    """Stands for a SIGKILL between two rounds; it is no outcome, as all other exceptions are."""


@pytest.fixture
def killed() -> Callable[[Experiment, Data, RunFolder, int], None]:
    """Begin a run, or go on with it, and die at a look: one comes when the losses were read.

    At every look before it a checkpoint was written.
    """

    def until(experiment: Experiment, data: Data, folder: RunFolder, look: int) -> None:
        looks = count(1)

        def asked() -> bool:
            if next(looks) == look:
                raise Killed
            return False

        with pytest.raises(Killed):
            _attempt(experiment, data, folder, Attempt(folder.begin_attempt(), 0.0, asked))

    return until


@pytest.fixture
def finished() -> Callable[[Experiment, Data, RunFolder], Left]:
    """Begin a run, or go on with it, to its end; all that it leaves but for times."""

    def to_the_end(experiment: Experiment, data: Data, folder: RunFolder) -> Left:
        _attempt(experiment, data, folder, Attempt(folder.begin_attempt(), 1e9))
        outcome = folder.outcome()
        assert outcome is not None
        assert outcome.pop("sha256") == folder.digests()
        return {
            "outcome": _timeless(outcome),
            "events": [_timeless(event) for event in folder.events()],
            "generator": folder.generator_path.read_bytes(),
            "pictures": {path.name: path.read_bytes() for path in folder.pictures()},
        }

    return to_the_end


def _attempt(experiment: Experiment, data: Data, folder: RunFolder, attempt: Attempt) -> None:
    torch.manual_seed(attempt.number)  # a process of its own would be elsewhere, too
    run(experiment, data, torch.device("cpu"), folder, attempt)


def _timeless(content: Left) -> Left:
    return {
        name: value
        for name, value in content.items()
        if not name.endswith("seconds") and name not in ("time", "attempt")
    }


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = Path(os.environ.get("GANBENCH_TEST_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data are not in {folder}; name their folder in GANBENCH_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def real_mnist(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with MNIST's published files."""
    archives = list((real_data / "MNIST" / "raw").glob("*.gz"))
    if not archives:
        pytest.skip(f"MNIST is not in {real_data}; GANBENCH_TEST_DATA can name another folder")
    folder = tmp_path_factory.mktemp("mnist")
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for archive in archives:
        (raw / archive.stem).write_bytes(gzip.decompress(archive.read_bytes()))
    return folder
