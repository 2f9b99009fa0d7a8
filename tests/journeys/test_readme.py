"""What the README shows works: each block is executed, in order, in one folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)(?: file=(\S+))?\n(.*?)```", README, re.DOTALL)


def commands():
    return [
        line.partition("#")[0].strip()
        for language, _, text in BLOCKS
        if language == "sh"
        for line in text.splitlines()
    ]


@pytest.mark.slow
def test_every_block_in_order(main_job, ganbench_command):
    """In the folder of the main job, so that the first command finds its runs finished."""
    for language, file, text in BLOCKS:
        if file:
            (main_job / file).write_text(text)
        elif language == "python":
            run([sys.executable, "-c", text], main_job)
        elif language == "sh":
            for line in text.splitlines():
                name, *arguments = shlex.split(line)
                assert name == "ganbench"
                out = run([ganbench_command, *arguments], main_job)
                assert out.strip()


def run(command, folder):
    environment = {**os.environ, "GANBENCH_DATA": str(folder / "data")}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def test_the_two_commands_are_there_to_the_letter():
    assert (
        "    python3 -m venv .venv && .venv/bin/pip install . && "
        ".venv/bin/ganbench run --losses minimax,nonsat\n" in README
    )
    assert "    python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox\n" in README


def test_the_readme_has_examples_of_every_way_to_use_it():
    assert {language for language, _, _ in BLOCKS} >= {"sh", "python", "toml"}
    assert {command.split()[1] for command in commands()} >= {
        "run", "table", "list", "show", "plugins", "doctor",
    }  # fmt: skip


@pytest.mark.slow
def test_the_readmes_table_has_the_columns_that_are_printed(main_job):
    shown = next(text for language, _, text in BLOCKS if language == "text")
    printed = (main_job / "stdout.txt").read_text()
    (header,) = [line for line in printed.splitlines() if "images/s" in line]
    assert header.split() in [line.split() for line in shown.splitlines()]
