"""What being safe costs: checkpoints as a share of training, and a process for each run.

    python tests/benchmarks/checkpoint_cost.py [--seconds 100] [--starts 5] [--cells digits]

A run with the usual interval between checkpoints says itself how long it trained and how long
it wrote; so does one that checkpoints at every look. Then workers are started as a study does,
each of which says when it got how far.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from ganbench.assembly import assemble
from ganbench.catalogue import ARCHITECTURE, DATASET, PROTOCOL, SCHEDULE
from ganbench.checkpoint import capture
from ganbench.checkpoint_files import Checkpoints
from ganbench.choices import choose
from ganbench.data import Data
from ganbench.executors.job import Job
from ganbench.experiment import Experiment, choose_objective
from ganbench.keeping import Attempt
from ganbench.planning import load, plan
from ganbench.plugins import discover
from ganbench.request import Request, Setup
from ganbench.runner import run
from ganbench.specs import parse_entries, parse_one
from ganbench.store import RunFolder, Store

CPU = torch.device("cpu")
CATALOGUE = discover()


def digits(seconds):
    """The default study's cell."""
    request = Request(losses="nonsat", protocol=f"quick:budget={seconds:g}s:evaluations=1", seeds=1)
    (experiment,) = plan(request, Setup(Path("store"), Path("data"), "cpu"), CATALOGUE)
    return experiment, load(experiment.dataset, Path("data"))


def resnet(seconds):
    """Networks of 128 channels, on noise of CIFAR-10's shape, in batches that make rounds short."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (64, 3, 32, 32), generator=random, dtype=torch.uint8)
    protocol = f"quick:budget={seconds:g}s:evaluations=1:evaluation_samples=2:batch_size=2"
    widths = "resnet:generator_width=128:discriminator_width=128"
    experiment = Experiment(
        objective=choose_objective(CATALOGUE, parse_entries("hinge")[0]),
        architecture=choose(CATALOGUE, ARCHITECTURE, parse_one(widths)),
        schedule=choose(CATALOGUE, SCHEDULE, parse_one("k-step")),
        dataset=choose(CATALOGUE, DATASET, parse_one("ring")),
        data_fingerprint="",
        scores=(),
        protocol=choose(CATALOGUE, PROTOCOL, parse_one(protocol)),
        seed=0,
    )
    return experiment, Data(images, "all")


CELLS = {"digits": digits, "resnet": resnet}


def show_checkpoints(name, seconds, place):
    experiment, data = CELLS[name](seconds)
    game, schedule = assemble(experiment, data, CPU), experiment.schedule.create()
    checkpoints, costs = Checkpoints(place / name / "checkpoints"), []
    for step in range(5):
        started = time.perf_counter()
        checkpoints.save(step, capture(game, schedule), {})
        costs.append(time.perf_counter() - started)
    size = sum(tensor.nbytes for tensor in capture(game, schedule).values())
    print(
        f"{name} {experiment.architecture.short}: a checkpoint of {size / 2**20:.1f} MiB takes"
        f" {statistics.median(costs):.3f} s (without the optimizers' moments)"
    )
    for interval in (-1.0, 0.0):
        folder = RunFolder(place / f"{name}{interval:g}")
        folder.plan({})
        run(experiment, data, CPU, folder, Attempt(1, interval))
        outcome = folder.outcome()
        share = outcome["checkpoint_seconds"] / outcome["seconds"]
        print(
            f"  {'the usual interval' if interval else 'at every look'}:"
            f" {outcome['checkpoint_seconds']:.2f} s of {outcome['seconds']:.0f} s of training,"
            f" {share:.2%} ({outcome['generator_steps']} steps of G)"
        )


# What a worker runs here: itself, with a look at the clock at each stage.
WORKER = """
import json, sys, time
marks = [("Python", time.time())]
def mark(name):
    marks.append((name, time.time()))
import torch
mark("import torch")
from ganbench.executors import worker
from ganbench import play
mark("import ganbench's worker")
from ganbench import store
begin = store.RunFolder.begin_attempt
def begun(*given, **named):
    mark("plugins, recipe, data")
    return begin(*given, **named)
store.RunFolder.begin_attempt = begun
torch.optim.Adam([torch.zeros(1)])
mark("import torch._dynamo, for the first optimizer")
evaluate = play.Play._evaluate
def evaluated(*given):
    mark("game, metrics")
    evaluate(*given)
    mark("score the untrained generator")
play.Play._evaluate = evaluated
train = play.train
def trained(*given):
    for finished in train(*given):
        mark("first step")
        yield finished
play.train = trained
worker.main()
print("MARKS", json.dumps(marks))
"""


def stages(job):
    """(name, seconds since the one before), of one worker until its first step."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GANBENCH_PARENT": str(os.getpid())}
    started = time.time()
    command = [sys.executable, "-P", "-c", WORKER, job.to_text()]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    marks = json.loads(ran.stdout.rpartition("MARKS ")[2])
    found, before = [], started
    for name, moment in marks:
        found.append((name, moment - before))
        before = moment
        if name == "first step":
            return found
    raise AssertionError(marks)


def show_starts(starts, place):
    setup = Setup(place / "store", place / "data", "cpu")
    request = Request(losses="nonsat", protocol="quick:budget=1gsteps:evaluations=1", seeds=starts)
    experiments = plan(request, setup, CATALOGUE)
    store = Store(setup.store, create=True)
    taken = []
    for experiment in experiments:
        store.run(experiment.key).plan(experiment.recipe())
        job = Job("run", experiment.key, str(setup.store), str(setup.data_folder))
        taken.append(stages(replace(job, threads=1)))
    totals = [sum(seconds for _, seconds in found) for found in taken]
    print(
        f"from a worker's start to its first step: {statistics.median(totals):.2f} s"
        f" (of {starts}: {min(totals):.2f} to {max(totals):.2f})"
    )
    for stage in zip(*taken, strict=True):
        print(f"  {stage[0][0]}: {statistics.median(seconds for _, seconds in stage):.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=100.0, help="of training [100]")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--cells", default=",".join(CELLS), help="digits,resnet [both]")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        if options.starts:
            show_starts(options.starts, Path(place))
        for name in filter(None, options.cells.split(",")):
            show_checkpoints(name, options.seconds, Path(place))


if __name__ == "__main__":
    main()
