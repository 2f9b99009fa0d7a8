import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganbench import timing
from ganbench.errors import BadInput
from ganbench.executors import worker
from ganbench.executors.job import Job, PluginChoice
from ganbench.store import Outcome, Store, read_json


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def job(planned, store) -> Job:
    experiment, _ = planned(budget="4gsteps")
    store.run(experiment.key).plan(experiment.recipe())
    place = str(store.path)
    return Job("run", experiment.key, place, "/nowhere", "cpu", 1, PluginChoice(), os.getpid())


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
    folder.finish(Outcome.DIVERGED, step=3)
    worker.train_and_score(job, store)
    assert folder.outcome() == {"schema": 1, "outcome": "diverged", "step": 3}
    assert folder.events() == []


def test_a_run_that_crashed_is_tried_again(job, store):
    folder = store.run(job.key)
    folder.append_event({"event": "left over"})
    folder.finish(Outcome.CRASHED)
    worker.train_and_score(job, store)
    assert folder.outcome()["outcome"] == "completed"
    assert folder.events()[0]["event"] == "started"


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
    job = Job("run", other.key, place, "/nowhere", "cpu", 1, PluginChoice(), os.getpid())
    with pytest.raises(BadInput, match="the data of gaussian:size=500 changed since"):
        worker.train_and_score(job, store)
    assert store.run(other.key).outcome() is None


def test_the_task_is_looked_up(job, store, monkeypatch):
    done = []
    monkeypatch.setitem(worker.TASKS, "run", lambda job, store: done.append((job, store.path)))
    monkeypatch.setattr(worker, "_end_with_parent", lambda parent: None)
    monkeypatch.setattr("sys.argv", ["worker", job.to_text()])
    worker.main()
    assert done == [(job, Path(job.store))]
