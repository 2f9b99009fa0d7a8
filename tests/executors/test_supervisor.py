"""Here the supervisor is the test itself; a process is a script in the place of Python."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.executors.supervisor import supervise

WORKER = """\
import json, os, signal, sys, time
from pathlib import Path
job = json.loads(sys.argv[4])
folder = Path(job["store"]) / "runs" / job["key"]
signal.signal(signal.SIGTERM, lambda *_: ((folder / "asked").touch(), sys.exit(0)))
(folder / "pid").write_text(str(os.getpid()))
word, number = job["task"].split()
if word == "sleep":
    time.sleep(float(number))
if word == "exit":
    sys.exit(int(number))
"""


@pytest.fixture(autouse=True)
def quick_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{script}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr("ganbench.executors.supervisor._POLL_SECONDS", 0.01)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    def made(task: str, **fields) -> Job:
        job = Job(task, "a", str(tmp_path), str(tmp_path), **fields)
        job.run_path.mkdir(parents=True)
        return job

    return made


def send_once_started(job: Job, number: int) -> None:
    def send() -> None:
        while not (job.run_path / "pid").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    Thread(target=send, daemon=True).start()


def gone(job: Job) -> bool:
    try:
        os.kill(int((job.run_path / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_a_job_is_done_and_its_ending_told(job):
    assert supervise(job("exit 3").to_text()) == Ending(3)


def test_its_time_is_kept(job):
    each = job("sleep 60", timeout_seconds=0.5)
    assert supervise(each.to_text()).timed_out
    assert gone(each)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_first_and_is_then_passed_on(job, number):
    each = job("sleep 60")

    def interrupt(*_) -> None:
        assert gone(each)
        raise InterruptedError

    before = signal.signal(number, interrupt)
    try:
        send_once_started(each, number)
        with pytest.raises(InterruptedError):
            supervise(each.to_text())
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)
    assert (each.run_path / "asked").exists()


def test_a_signal_that_nobody_waits_for_ends_the_process(job):
    each = job("sleep 60")
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        send_once_started(each, signal.SIGTERM)
        assert "was stopped" in supervise(each.to_text()).lost
    finally:
        signal.signal(signal.SIGTERM, before)
    assert gone(each)


def test_a_store_that_is_not_there_is_named(job):
    each = job("exit 0")
    each.run_path.rmdir()
    assert f"there is no {each.run_path} on " in supervise(each.to_text()).lost


def test_a_process_that_cant_be_started_is_no_exception(job, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "can't be started on" in supervise(job("exit 0").to_text()).lost
