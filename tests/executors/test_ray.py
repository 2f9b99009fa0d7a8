"""A real cluster of several nodes on this machine; what its workers run is a script."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import ganbench
from ganbench.errors import BadInput
from ganbench.executors.executor import Ending, Executor, Resources, executor_for
from ganbench.executors.job import Job

ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402

pytestmark = pytest.mark.slow

WORKER = """\
import json, os, signal, sys, time
from pathlib import Path
job = json.loads(sys.argv[1])
folder = Path(job["store"]) / "runs" / job["key"]
word, _, number = job["task"].partition(" ")
if word == "polite":
    signal.signal(signal.SIGTERM, lambda *_: ((folder / "asked").touch(), sys.exit(0)))
if word == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
facts = {
    "pid": os.getpid(), "supervisor": os.getppid(), "raylet": int(os.environ["RAY_RAYLET_PID"]),
    "threads": os.environ["OMP_NUM_THREADS"], "gpus": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    "device": job["device"],
}
(folder / "new").write_text(json.dumps(facts))
(folder / "new").rename(folder / "facts")
if word in ("sleep", "polite", "deaf"):
    end = time.monotonic() + float(number)
    while time.monotonic() < end and os.getppid() == int(os.environ["GANBENCH_PARENT"]):
        time.sleep(0.05)
if word == "kill":
    os.kill(os.getpid(), int(number))
if word == "exit":
    sys.exit(int(number))
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For the processes of nodes, ganbench is as it is, with the script in the worker's place."""
    ours = Path(ganbench.__file__).parent
    folder = tmp_path_factory.mktemp("path")
    package = folder / "ganbench"
    (package / "executors").mkdir(parents=True)
    for file in [*ours.glob("*.py"), *ours.glob("executors/*.py")]:
        (package / file.relative_to(ours)).symlink_to(file)
    (package / "executors" / "worker.py").unlink()
    (package / "executors" / "worker.py").write_text(WORKER)
    # Paths of sockets have to be short, and the user's own Ray is not to be found.
    with (
        TemporaryDirectory(prefix="ray", dir="/tmp") as short,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.setenv("RAY_TMPDIR", short)
        patch.delenv("RAY_ADDRESS", raising=False)
        yield


@pytest.fixture(scope="module")
def cluster(script: None) -> Iterator[Cluster]:
    """A head that does no jobs, and two nodes of one core."""
    made = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        made.add_node(num_cpus=1)
    yield made
    made.shutdown()


@pytest.fixture
def executor(cluster: Cluster) -> Iterator[Executor]:
    made = executor_for("ray", Resources(address=cluster.address))
    yield made
    made.stop()


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    def made(key: str, task: str = "exit 0", **fields) -> Job:
        job = Job(task, key, str(tmp_path), str(tmp_path), **fields)
        job.run_path.mkdir(parents=True)
        return job

    return made


def until(true: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def endings(executor: Executor, *jobs: Job) -> list[Ending]:
    """Of these jobs, once all have ended."""
    found: dict[str, Ending] = {}

    def all_ended() -> bool:
        found.update({job.key: ending for job, ending in executor.ended()})
        return len(found) == len(jobs)

    until(all_ended)
    return [found[job.key] for job in jobs]


def facts(job: Job) -> dict:
    until((job.run_path / "facts").exists)
    return json.loads((job.run_path / "facts").read_text())


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_jobs_are_done_and_come_with_how_they_ended(executor, job):
    jobs = [
        job("a"),
        job("b", "exit 3"),
        job("c", "kill 9"),
        job("d", "sleep 60", timeout_seconds=1),
    ]
    for each in jobs:
        executor.start(each)
    assert endings(executor, *jobs) == [
        Ending(0),
        Ending(3),
        Ending(-signal.SIGKILL),
        Ending(-signal.SIGTERM, timed_out=True),
    ]
    assert executor.ended() == []


def test_all_nodes_are_used_and_no_more_than_their_cores(executor, job):
    assert executor.slots == 2
    jobs = [job(key, "polite 60") for key in "abc"]
    for each in jobs:
        executor.start(each)
    until(lambda: sum((each.run_path / "facts").exists() for each in jobs) == 2)
    time.sleep(0.5)
    working = [each for each in jobs if (each.run_path / "facts").exists()]
    assert len({facts(each)["raylet"] for each in working}) == 2
    assert {facts(each)["threads"] for each in working} == {"1"}
    assert {facts(each)["device"] for each in working} == {"cpu"}
    assert executor.ended() == []


def test_stop_ends_the_processes_and_gives_them_a_moment(executor, job):
    polite, deaf = job("a", "polite 60"), job("b", "deaf 60")
    executor.start(polite)
    executor.start(deaf)
    pids = [facts(each)["pid"] for each in (polite, deaf)]
    executor.stop()
    assert all(map(gone, pids))
    assert (polite.run_path / "asked").exists()
    assert not ray.is_initialized()


def test_a_node_that_dies_loses_its_job_and_another_node_does_it(cluster, executor, job, capfd):
    third = cluster.add_node(num_cpus=1)
    raylet = third.all_processes["raylet"][0].process.pid
    until(lambda: executor.slots == 3)
    jobs = [job(key, "sleep 60") for key in "abc"]
    for each in jobs:
        executor.start(each)
    (unlucky,) = [each for each in jobs if facts(each)["raylet"] == raylet]
    cluster.remove_node(third, allow_graceful=False)
    (ending,) = endings(executor, unlucky)
    assert re.fullmatch("NodeDiedError: .* dead or unavailable", ending.lost)
    until(lambda: executor.slots == 2)
    executor.stop()
    again = executor_for("ray", Resources(address=cluster.address))
    try:
        (unlucky.run_path / "facts").unlink()
        again.start(Job(**{**vars(unlucky), "task": "exit 0"}))
        assert endings(again, unlucky) == [Ending(0)]
        assert facts(unlucky)["raylet"] != raylet
    finally:
        again.stop()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_supervisor_that_is_ended_loses_its_job_and_ends_it(executor, job, number):
    each = job("a", "polite 60")
    executor.start(each)
    os.kill(facts(each)["supervisor"], number)
    (ending,) = endings(executor, each)
    assert "worker died unexpectedly" in ending.lost
    until(lambda: gone(facts(each)["pid"]))
    if number == signal.SIGTERM:
        assert (each.run_path / "asked").exists()


def test_a_store_that_a_node_does_not_see_is_named(executor, job):
    each = job("a")
    each.run_path.rmdir()
    executor.start(each)
    (ending,) = endings(executor, each)
    assert str(each.run_path) in ending.lost
    assert "a folder that all nodes share" in ending.lost


def test_a_node_without_this_ganbench_is_told(cluster, job, tmp_path, monkeypatch):
    (tmp_path / "old" / "ganbench").mkdir(parents=True)
    # No package: an editable install would find what is missing in it.
    for name in ("__init__.py", "executors.py"):
        (tmp_path / "old" / "ganbench" / name).touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "old"), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)  # which Ray shows to its workers
    node = cluster.add_node(num_cpus=2)
    executor = executor_for("ray", Resources(threads=2, address=cluster.address))
    try:
        each = job("a", threads=2)
        executor.start(each)
        (ending,) = endings(executor, each)
        assert "ModuleNotFoundError: No module named 'ganbench.executors" in ending.lost
        assert "Is this ganbench installed on all nodes?" in ending.lost
    finally:
        executor.stop()
        cluster.remove_node(node)


def test_a_gpu_is_given_to_each_job_where_the_cluster_has_some(cluster, job):
    node = cluster.add_node(num_cpus=4, num_gpus=2)
    executor = executor_for("ray", Resources(address=cluster.address))
    try:
        assert executor.slots == 2
        jobs = [job("a", "sleep 2", device="auto"), job("b", "sleep 2", device="auto")]
        for each in jobs:
            executor.start(each)
        assert {facts(each)["gpus"] for each in jobs} == {"0", "1"}
        assert {facts(each)["device"] for each in jobs} == {"cuda"}
        assert endings(executor, *jobs) == [Ending(0), Ending(0)]
    finally:
        executor.stop()
        cluster.remove_node(node)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (Resources(device="cuda"), "no node of the Ray cluster has 1 CPU core and a GPU now"),
        (Resources(device="cpu", threads=2), "has 2 CPU cores now.\n.* `--jobs` says how far"),
        (Resources(device="cuda:1"), "device 'cuda:1' can't be had on Ray.*\n.*auto, cpu, cuda"),
    ],
)
def test_what_the_cluster_does_not_have_is_refused(cluster, resources, message):
    with pytest.raises(BadInput, match=message):
        executor_for("ray", Resources(**{**vars(resources), "address": cluster.address}))
    assert not ray.is_initialized()


def test_jobs_that_the_user_asks_for_may_wait_for_a_node(cluster):
    resources = Resources(device="cuda", jobs=7, address=cluster.address)
    executor = executor_for("ray", resources)
    assert executor.slots == 7
    executor.stop()


def test_a_connection_of_the_users_own_is_used_and_left(cluster, job):
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        executor = executor_for("ray", Resources())
        each = job("a", "exit 4")
        executor.start(each)
        assert endings(executor, each) == [Ending(4)]
        executor.stop()
        assert ray.is_initialized()
    finally:
        ray.shutdown()


@pytest.fixture
def handler() -> Iterator[Callable]:
    """Of SIGTERM."""

    def ours(*_) -> None: ...

    before = signal.signal(signal.SIGTERM, ours)
    yield ours
    signal.signal(signal.SIGTERM, before)


def test_without_an_address_a_ray_is_started_and_ended(script, job, capfd, handler):
    executor = executor_for("ray", Resources(device="cpu", jobs=3, threads=2))
    assert signal.getsignal(signal.SIGTERM) is handler
    jobs = [job(key, "sleep 5", threads=2) for key in "abc"]
    for each in jobs:
        executor.start(each)
    pids = [facts(each)["pid"] for each in jobs]
    raylet = facts(jobs[0])["raylet"]
    executor.stop()
    assert all(map(gone, pids))
    until(lambda: gone(raylet))
    assert capfd.readouterr() == ("", "")


STUDY = """\
import sys, time
from ganbench.executors.executor import Resources, executor_for
from ganbench.executors.job import Job
executor = executor_for("ray", Resources(address=sys.argv[1]))
try:
    executor.start(Job.from_text(sys.argv[2]))
    time.sleep(60)
finally:
    executor.stop()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_goes_on_when_the_study_is_ended(cluster, job, number):
    each = job("a", "polite 60")
    command = [sys.executable, "-c", STUDY, cluster.address, each.to_text()]
    with subprocess.Popen(command) as study:
        pid = facts(each)["pid"]
        study.send_signal(number)
    until(lambda: gone(pid))
    if number == signal.SIGTERM:
        assert (each.run_path / "asked").exists()


def test_an_address_where_nothing_listens_is_one_message(monkeypatch, tmp_path, capfd):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(free)
    for address in (free, f"ray://{free}", "auto", "nowhere.invalid:6379", f"{free}0"):
        with pytest.raises(BadInput, match=r"no Ray answers at .*:"):
            executor_for("ray", Resources(address=address))
    with pytest.raises(BadInput, match="no Ray at 'nonsense': "):
        executor_for("ray", Resources(address="nonsense"))
    assert capfd.readouterr() == ("", "")


def test_without_the_package_there_is_one_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match=r"needs the package ray.*\n  pip install 'ganbench\[ray\]'"):
        executor_for("ray", Resources())
