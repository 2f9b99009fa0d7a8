"""The README's first command, run once as a user runs it, and looked at by several tests."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ganbench_command() -> str:
    """The console script that belongs to the Python that runs the tests."""
    found = shutil.which("ganbench", path=str(Path(sys.executable).parent))
    assert found, "ganbench is not installed beside this Python"
    return found


@pytest.fixture(scope="session")
def main_job(tmp_path_factory, ganbench_command):
    """The folder it was run in, with its output in stdout.txt."""
    folder = tmp_path_factory.mktemp("main-job")
    ran = subprocess.run(
        [ganbench_command, "run", "--losses", "minimax,nonsat"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stderr
    (folder / "stdout.txt").write_text(ran.stdout)
    return folder
