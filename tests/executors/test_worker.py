import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganbench import play as playing
from ganbench import timing
from ganbench.catalogue import Catalogue, Origin, Plugin
from ganbench.errors import BadInput, PluginBroken
from ganbench.executors import worker
from ganbench.executors.job import Job, PluginChoice
from ganbench.executors.process import BUSY
from ganbench.files import read_json
from ganbench.keeping import Interrupted
from ganbench.store import Outcome, Store

ORIGIN = Origin("toys", "toy-package", "1.0")


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def job(planned, store) -> Job:
    experiment, _ = planned(budget="4gsteps")
    store.run(experiment.key).plan(experiment.recipe())
    place = str(store.path)
    return Job("run", experiment.key, place, "/nowhere")


@pytest.fixture(autouse=True)
def threads_as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_a_run_is_trained_scored_and_described(job, store):
    worker.train_and_score(job, store)
    folder = store.run(job.key)
    assert folder.outcome()["outcome"] == "completed"
    assert folder.outcome()["generator_steps"] == 4
    environment = read_json(folder.path / "environment.json")
    assert (environment["device_type"], environment["threads"]) == ("cpu", 1)
    assert environment["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert len(environment["machine"]) == 12


def test_a_run_with_a_result_is_left_alone(job, store):
    folder = store.run(job.key)
    folder.finish(Outcome.DIVERGED, step=3, attempt=1)
    worker.train_and_score(job, store)
    assert folder.outcome() == {"schema": 1, "outcome": "diverged", "step": 3, "attempt": 1}
    assert folder.events() == []


def test_a_run_that_somebody_else_did_meanwhile_is_left_alone(job, store):
    folder = store.run(job.key)
    folder.begin_attempt()
    folder.begin_attempt()
    folder.finish(Outcome.CRASHED, attempt=2)
    worker.train_and_score(replace(job, supersedes=1), store)
    assert folder.outcome()["attempt"] == 2


def test_a_run_that_crashed_is_tried_again(job, store):
    folder = store.run(job.key)
    assert folder.begin_attempt() == 1
    folder.append_event({"event": "left over"})
    folder.finish(Outcome.CRASHED, attempt=1)
    worker.train_and_score(replace(job, supersedes=1), store)
    assert folder.outcome()["outcome"] == "completed"
    assert folder.outcome()["attempt"] == 2
    assert folder.events()[0]["event"] == "started"
    assert [line["outcome"] for line in folder.superseded()] == ["crashed"]


def test_a_finished_run_can_be_done_anew(job, store):
    folder = store.run(job.key)
    worker.train_and_score(job, store)
    first = folder.generator_path.read_bytes()
    worker.train_and_score(replace(job, supersedes=1, fresh=True), store)
    assert folder.outcome()["attempt"] == 2
    assert folder.generator_path.read_bytes() == first


def test_a_run_that_another_process_is_doing_is_left_to_it(job, store):
    with store.run(job.key).lease(), pytest.raises(SystemExit) as ended:
        worker.train_and_score(job, store)
    assert ended.value.code == BUSY
    assert store.run(job.key).attempts() == []


def test_a_worker_that_is_asked_to_end_writes_a_checkpoint_and_goes_on_from_it(
    planned, store, monkeypatch
):
    experiment, _ = planned(budget="400gsteps", evaluations=1)
    folder = store.run(experiment.key)
    folder.plan(experiment.recipe())
    job = Job("run", experiment.key, str(store.path), "/nowhere")
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(playing, "_mean", lambda losses: os.kill(os.getpid(), signal.SIGTERM) or 0)
    with pytest.raises(Interrupted):
        worker.train_and_score(job, store)
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGTERM) == before
    assert folder.status == "interrupted"
    worker.train_and_score(job, store)
    assert folder.outcome()["outcome"] == "completed"
    assert [line["event"] for line in folder.attempts()] == ["began", "began", "resumed"]
    assert folder.attempts()[-1]["generator_steps"] == 100


@pytest.mark.parametrize(
    ("error", "outcome"), [(PluginBroken("theirs"), "plugin_error"), (BadInput("no"), "crashed")]
)
def test_what_can_no_longer_be_made_is_an_outcome(job, store, monkeypatch, error, outcome):
    def fail(*_):
        raise error

    monkeypatch.setattr(worker, "from_recipe", fail)
    worker.train_and_score(job, store)
    found = store.run(job.key).outcome()
    assert (found["outcome"], found["error"]) == (outcome, str(error))


def test_a_plugin_that_can_not_be_loaded_here_is_named(job, store, monkeypatch):
    """As where it was planned it could be: its import depends on where it is."""

    def broken(*_):
        return Catalogue((Plugin(ORIGIN, error="ImportError: not here", traceback="line 3"),))

    folder = store.run(job.key)
    recipe = folder.recipe()
    recipe["loss"]["distribution"] = ORIGIN.distribution
    folder.plan(recipe)
    monkeypatch.setattr(PluginChoice, "discover", broken)
    worker.train_and_score(job, store)
    outcome = folder.outcome()
    assert outcome["outcome"] == "plugin_error"
    assert outcome["plugin"] == "toys (toy-package 1.0)"
    assert outcome["error"] == "plugin toys (toy-package 1.0) is broken: ImportError: not here"
    assert "line 3" in outcome["traceback"]


def test_a_data_set_that_can_not_be_read_here_is_its_plugins_fault(job, store, monkeypatch):
    def fail(*_):
        raise RuntimeError("no disk\nat all")

    monkeypatch.setattr("ganbench_plugins.datasets.mixtures.Gaussian.load", fail)
    worker.train_and_score(job, store)
    outcome = store.run(job.key).outcome()
    assert outcome["outcome"] == "plugin_error"
    assert outcome["plugin"].startswith("bundled-datasets (ganbench ")
    assert outcome["error"].endswith(" failed: RuntimeError: no disk")
    assert "at all" in outcome["traceback"]


def test_a_cells_memory_is_limited_while_it_is_timed(job, store, monkeypatch):
    limits = []
    monkeypatch.setattr(worker, "limit_memory", lambda *limit: limits.append(limit))
    monkeypatch.setattr(worker, "measure", lambda *_: {})
    worker.time_cell(replace(job, memory_bytes=2**30), store)
    assert limits == [(torch.device("cpu"), 2**30)]


@pytest.mark.parametrize(
    ("ending", "code"),
    [("pass", 0), ("sys.exit()", 0), ("sys.exit(75)", 75), ("sys.exit('why')", 1), ("1 / 0", 1)],
)
def test_a_worker_is_gone_when_its_work_is_done_whatever_else_goes_on(ending, code):
    code_of_worker = (
        "import sys, threading, time; from ganbench.executors import worker\n"
        "def work():\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    print('said')\n"
        f"    {ending}\n"
        "worker._leave(work)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code_of_worker], timeout=50, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (code, "said\n")
    assert ("ZeroDivisionError" in ran.stderr) == (ending == "1 / 0")


def test_a_cell_is_timed(job, store, monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 0.02)
    monkeypatch.setattr(timing, "_WINDOW_SECONDS", 0.01)
    monkeypatch.setitem(timing._PEAK_SIZE, "cpu", 128)
    worker.time_cell(job, store)
    (record,) = store.throughputs()
    assert record["cell"] == store.run(job.key).recipe()["cell"]
    assert record["images_per_second"] > 0
    machine = record["environment"]["machine"]
    assert store.throughput_path(record["cell"], machine).exists()
    assert store.run(job.key).outcome() is None


def test_a_worker_whose_parent_is_gone_ends_whatever_it_does():
    code = (
        "import sys, time; from ganbench.executors import worker;"
        "worker._end_with_parent(int(sys.argv[1])); time.sleep(60)"
    )
    ran = subprocess.run([sys.executable, "-c", code, "-1"], timeout=30)
    assert ran.returncode == 1


def test_data_that_changed_since_the_plan_are_not_trained_on(planned, store):
    experiment, _ = planned(budget="4gsteps")
    other = replace(experiment, data_fingerprint="f00d")
    store.run(other.key).plan(other.recipe())
    place = str(store.path)
    job = Job("run", other.key, place, "/nowhere")
    worker.train_and_score(job, store)
    outcome = store.run(other.key).outcome()
    assert outcome["outcome"] == "crashed"
    assert outcome["error"].startswith("the data of gaussian:size=500 changed since")


def test_the_task_is_looked_up(job, store, monkeypatch):
    done = []
    monkeypatch.setitem(worker.TASKS, "run", lambda job, store: done.append((job, store.path)))
    monkeypatch.setattr(worker, "_end_with_parent", lambda parent: None)
    monkeypatch.setattr(worker, "_be_the_first_to_go", lambda: None)
    monkeypatch.setenv("GANBENCH_PARENT", "1")
    monkeypatch.setattr("sys.argv", ["worker", job.to_text()])
    worker.main()
    assert done == [(job, Path(job.store))]
