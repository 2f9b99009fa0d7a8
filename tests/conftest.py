"""A small cell that trains in milliseconds, components that tests bring along, and real data."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.catalogue import Catalogue, Component, Kind, Origin, Plugin
from ganbench.data import Data
from ganbench.experiment import Experiment
from ganbench.planning import load, plan
from ganbench.plugins import discover
from ganbench.request import Request, Setup

_ROOT = Path(__file__).resolve().parents[1]
Catalogued = Callable[..., Catalogue]
Planned = Callable[..., tuple[Experiment, Data]]


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
