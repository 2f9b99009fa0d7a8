"""Real data, where this machine has them."""

import gzip
import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


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
