"""The processes are real; what they run is a script that does as the job's task says."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench.executors import process
from ganbench.executors.executor import Ending, Resources
from ganbench.executors.job import Job
from ganbench.executors.local import LocalExecutor, fitting, gpus_of

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
    "parent": os.environ["GANBENCH_PARENT"], "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
    "device": job["device"],
    "cublas": os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    "input": sys.stdin.read(), "started": time.monotonic(),
}))
print("out of", job["key"], flush=True)
print("err of", job["key"], file=sys.stderr, flush=True)
if word == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "deaf").touch()
if word == "family":
    import subprocess
    child = subprocess.Popen(["sleep", "60"])
    (folder / "child").write_text(str(child.pid))
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


@pytest.fixture
def job(tmp_path):
    def made(key: str, task: str = "exit 0", **fields: Any) -> Job:
        job = Job(task, key, str(tmp_path), str(tmp_path), **fields)
        job.run_path.mkdir(parents=True)
        return job

    return made


def run_jobs(jobs: list[Job], at_once: int) -> Iterator[tuple[Job, Ending]]:
    """As a study does it."""
    executor = LocalExecutor(Resources("cpu", at_once))
    waiting, under_way = list(jobs), 0
    try:
        while waiting or under_way:
            while waiting and under_way < executor.slots:
                executor.start(waiting.pop(0))
                under_way += 1
            time.sleep(0.01)
            for ended in executor.ended():
                under_way -= 1
                yield ended
    finally:
        executor.stop()


def facts(job: Job) -> dict:
    return json.loads((job.run_path / "facts").read_text())


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text() + "-"):
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.005)


def gone(pid_file: Path) -> bool:
    """Whether the process has ended, or does so in a moment; who was killed takes one."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            stat = Path(f"/proc/{pid_file.read_text()}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":  # dead, and nobody has asked yet
            return True
        time.sleep(0.01)
    return False


def test_all_jobs_are_done_and_come_with_their_exit_codes(job):
    jobs = [job("a"), job("b", "exit 3"), job("c", f"kill {signal.SIGKILL.value}"), job("d")]
    ended = {each.key: ending for each, ending in run_jobs(jobs, 2)}
    assert ended == {"a": Ending(0), "b": Ending(3), "c": Ending(-9), "d": Ending(0)}


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_jobs_are_done_in_their_order_so_many_at_once(job, at_once):
    jobs = [job(str(number), "sleep 0.05") for number in range(5)]
    assert len(list(run_jobs(jobs, at_once))) == 5
    started = [facts(each)["started"] for each in jobs]
    assert at_once > 1 or started == sorted(started)


def test_each_is_a_worker_with_its_threads_in_a_session_of_its_own(job):
    one, two = job("a", threads=1), job("b", threads=2, deterministic=True)
    list(run_jobs([one, two], 2))
    for each, threads, cublas in ((one, "1", None), (two, "2", ":4096:8")):
        found = facts(each)
        assert found["module"] == "ganbench.executors.worker"
        assert (found["threads"], found["mkl"]) == (threads, threads)
        assert found["leader"] is True
        assert found["parent"] == str(os.getpid())
        assert found["cublas"] == cublas
        assert found["input"] == ""


def test_what_a_worker_prints_goes_to_the_end_of_its_log(job):
    each = job("a")
    (each.run_path / "log.txt").write_text("before")
    list(run_jobs([each], 1))
    before, mark, *printed = (each.run_path / "log.txt").read_text().splitlines()
    assert before == "before"
    assert mark.startswith("--- exit 0, 20")
    assert printed == ["out of a", "err of a"]


def test_a_job_that_can_not_be_started_is_lost_and_the_others_are_done(job):
    jobs = [job("a"), job("b"), job("c")]
    (jobs[1].run_path / "log.txt").mkdir()
    ended = {each.key: ending for each, ending in run_jobs(jobs, 2)}
    assert (ended["a"], ended["c"]) == (Ending(0), Ending(0))
    assert ended["b"].lost.startswith("it can't be started: [Errno 21] Is a directory")


def test_a_job_whose_time_is_up_is_ended(job):
    slow, quick = job("a", "sleep 60", timeout_seconds=0.5), job("b", timeout_seconds=60)
    ended = {each.key: ending for each, ending in run_jobs([slow, quick], 2)}
    assert ended == {"a": Ending(-signal.SIGTERM, timed_out=True), "b": Ending(0)}


def test_one_that_does_not_listen_when_its_time_is_up_is_killed(job, monkeypatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    each = job("a", "deaf 60", timeout_seconds=2.0)
    ((_, ending),) = run_jobs([each], 1)
    assert ending == Ending(-signal.SIGKILL, timed_out=True)


def test_the_children_end_when_the_executor_stops(job):
    jobs = [job("a", "sleep 60"), job("b", "family 60")]
    executor = LocalExecutor(Resources("cpu", 2))
    for each in jobs:
        executor.start(each)
        wait_for(each.run_path / "facts")
    wait_for(jobs[1].run_path / "child")
    executor.stop()
    assert all(gone(each.run_path / "pid") for each in jobs)
    assert gone(jobs[1].run_path / "child")
    assert executor.ended() == []


def test_what_a_worker_started_ends_with_it(job):
    each = job("a", "family 0")
    list(run_jobs([each], 1))
    assert gone(each.run_path / "child")


def test_a_child_that_does_not_listen_is_killed(job, monkeypatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    each = job("a", "deaf 60")
    executor = LocalExecutor(Resources("cpu", 1))
    executor.start(each)
    wait_for(each.run_path / "deaf")
    started = time.monotonic()
    executor.stop()
    assert gone(each.run_path / "pid")
    assert time.monotonic() - started < 30


@pytest.fixture
def gpus(monkeypatch):
    """A machine with so many GPUs, as far as torch can tell."""

    def there_are(count: int, visible: str | None = None) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return there_are


@pytest.mark.parametrize(
    ("device", "count", "visible", "expected"),
    [
        ("auto", 2, None, ["0", "1"]),
        ("cuda", 2, None, ["0", "1"]),
        ("cuda:1", 2, None, ["1"]),
        ("cuda", 2, "4,6", ["4", "6"]),
        ("cuda:1", 2, "4,6", ["6"]),
        ("cuda", 1, "GPU-8a1c, GPU-77ff", ["GPU-8a1c"]),
        ("cpu", 2, None, []),
    ],
)
def test_which_gpus_a_device_means(gpus, device, count, visible, expected):
    gpus(count, visible)
    assert gpus_of(device) == expected


def test_jobs_are_spread_over_the_gpus_and_see_one_each(job, gpus):
    gpus(2, "4,6")
    assert fitting(Resources("cuda")) == 2
    executor = LocalExecutor(Resources("cuda", jobs=4))
    jobs = [job(key, "sleep 60", device="auto") for key in "abcd"]
    for each in jobs:
        executor.start(each)
        wait_for(each.run_path / "facts")
    executor.stop()
    assert [facts(each)["gpu"] for each in jobs] == ["4", "6", "4", "6"]
    assert {facts(each)["device"] for each in jobs} == {"cuda"}


def test_a_gpu_asked_for_by_its_number_is_the_first_that_the_process_sees(job, gpus):
    gpus(2, "4,6")
    executor = LocalExecutor(Resources("cuda:1"))
    each = job("a", device="cuda:1")
    executor.start(each)
    while not (over := executor.ended()):
        time.sleep(0.01)
    assert over == [(each, Ending(0))]
    assert (facts(each)["gpu"], facts(each)["device"]) == ("6", "cuda")


def test_a_cpu_does_as_many_as_have_a_core_each(monkeypatch):
    monkeypatch.setattr("ganbench.executors.local.cpu_count", lambda: 8)
    assert fitting(Resources("cpu", threads=3)) == 2
    assert fitting(Resources("cpu", threads=16)) == 1
    assert LocalExecutor(Resources("cpu", jobs=5)).slots == 5
