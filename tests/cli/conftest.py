"""Run the command line in this process."""

import sys
from typing import NamedTuple

import pytest

from ganbench.cli import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def ganbench(monkeypatch, capsys, tmp_path):
    """Call as `ganbench("run", "--losses", ...)`, in an empty folder with an empty data folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "no-data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ganbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            main()
        captured = capsys.readouterr()
        return Ran(exited.value.code, captured.out, captured.err)

    return run
