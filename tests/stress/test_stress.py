"""Runs are killed at any moment, and nothing is lost, done twice or unreadable afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STRESS = Path(__file__).with_name("stress.py")


def stress(*arguments, minutes):
    command = [sys.executable, "-P", str(STRESS), *arguments]
    # Its stores may be looked at when it finds something; it says where they are.
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60 * minutes)
    print(ran.stdout, ran.stderr)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]


@pytest.mark.slow
def test_a_sample_of_kills_and_failing_disks_is_survived():
    stress("--short", "--seed", os.environ.get("GANBENCH_TEST_SEED", "0"), minutes=10)


@pytest.mark.study
def test_hundreds_of_kills_and_failing_disks_are_survived():
    stress(minutes=60)
