"""The processes are real; what they run is a script that does as the job's task says."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ganbench.executors.job import Job, PluginChoice
from ganbench.executors.local import run_jobs

WORKER = """\
import json, os, signal, sys, time
from pathlib import Path
safe, module, job = sys.argv[1], sys.argv[3], json.loads(sys.argv[4])
folder = Path(job["store"]) / "runs" / job["key"]
word, _, number = job["task"].partition(" ")
(folder / "pid").write_text(str(os.getpid()))
(folder / "facts").write_text(json.dumps({
    "safe": safe, "module": module, "threads": os.environ["OMP_NUM_THREADS"],
    "mkl": os.environ["MKL_NUM_THREADS"], "leader": os.getsid(0) == os.getpid(),
    "input": sys.stdin.read(), "started": time.monotonic(),
}))
print("out of", job["key"], flush=True)
print("err of", job["key"], file=sys.stderr, flush=True)
if word == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "deaf").touch()
if word in ("sleep", "deaf"):
    time.sleep(float(number))
if word == "kill":
    os.kill(os.getpid(), int(number))
if word == "exit":
    sys.exit(int(number))
"""


@pytest.fixture(autouse=True)
def quick_worker(tmp_path, monkeypatch):
    """Put a script in the place of Python; it is started with `-P -m MODULE JOB` likewise."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{script}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr("ganbench.executors.local._POLL_SECONDS", 0.01)


@pytest.fixture
def job(tmp_path):
    def made(key: str, task: str = "exit 0", threads: int = 1) -> Job:
        job = Job(
            task, key, str(tmp_path), str(tmp_path), "cpu", threads, PluginChoice(), os.getpid()
        )
        job.run_path.mkdir(parents=True)
        return job

    return made


def facts(job: Job) -> dict:
    return json.loads((job.run_path / "facts").read_text())


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text() + "-"):
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.005)


def gone(job: Job) -> bool:
    try:
        os.kill(int((job.run_path / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_all_jobs_are_done_and_come_with_their_exit_codes(job):
    jobs = [job("a"), job("b", "exit 3"), job("c", f"kill {signal.SIGKILL.value}"), job("d")]
    ended = dict(run_jobs(jobs, 2, lambda _: None))
    assert ended == {jobs[0]: 0, jobs[1]: 3, jobs[2]: -9, jobs[3]: 0}


def test_no_jobs_are_done_at_once(job):
    assert list(run_jobs([], 2, lambda _: None)) == []


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_never_more_than_so_many_at_once(job, at_once):
    jobs = [job(str(number), "sleep 0.05") for number in range(5)]
    counts = []
    ended = list(run_jobs(jobs, at_once, lambda under_way: counts.append(len(under_way))))
    assert len(ended) == 5
    assert max(counts) == at_once


def test_jobs_are_started_in_their_order(job):
    jobs = [job(key) for key in "cab"]
    list(run_jobs(jobs, 1, lambda _: None))
    started = [facts(each)["started"] for each in jobs]
    assert started == sorted(started)


def test_a_job_that_dies_does_not_stop_the_others(job):
    jobs = [job("a", f"kill {signal.SIGSEGV.value}"), job("b"), job("c")]
    ended = dict(run_jobs(jobs, 1, lambda _: None))
    assert list(ended.values()) == [-signal.SIGSEGV, 0, 0]


def test_each_is_a_worker_with_its_threads_in_a_session_of_its_own(job):
    one, two = job("a", threads=1), job("b", threads=2)
    list(run_jobs([one, two], 2, lambda _: None))
    for each, threads in ((one, "1"), (two, "2")):
        found = facts(each)
        assert found["module"] == "ganbench.executors.worker"
        assert (found["threads"], found["mkl"]) == (threads, threads)
        assert found["leader"] is True
        assert found["input"] == ""


def test_what_a_worker_prints_goes_to_the_end_of_its_log(job):
    each = job("a")
    (each.run_path / "log.txt").write_text("before\n")
    list(run_jobs([each], 1, lambda _: None))
    assert (each.run_path / "log.txt").read_text() == "before\nout of a\nerr of a\n"


def test_the_children_end_when_the_jobs_are_left(job):
    first, *rest = jobs = [job("a"), job("b", "sleep 60"), job("c", "sleep 60"), job("d")]
    running = run_jobs(jobs, 3, lambda _: None)
    assert next(running) == (first, 0)
    for each in rest[:2]:
        wait_for(each.run_path / "facts")
    running.close()
    assert all(gone(each) for each in rest[:2])
    assert not (rest[2].run_path / "log.txt").exists()


def test_the_children_end_when_the_tick_raises(job):
    each = job("a", "sleep 60")

    def stop(_: list[Job]) -> None:
        wait_for(each.run_path / "facts")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_jobs([each], 1, stop))
    assert gone(each)


def test_a_child_that_does_not_listen_is_killed(job, monkeypatch):
    monkeypatch.setattr("ganbench.executors.local._GRACE_SECONDS", 0.1)
    each = job("a", "deaf 60")

    def stop(_: list[Job]) -> None:
        wait_for(each.run_path / "deaf")
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(run_jobs([each], 1, stop))
    assert gone(each)
    assert time.monotonic() - started < 30
