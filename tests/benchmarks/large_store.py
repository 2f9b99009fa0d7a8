"""How long a large store takes to list and tabulate, the whole command from its start to its end.

A store of finished runs, as real ones leave it but for weights and pictures, which no table reads:
recipes of every loss and recipe there is, three seeds to a cell, one run in twenty diverged. Each
command is timed cold (the store's files thrown out of the page cache), then warm, in turn with
the others; then the parts of one.

    python tests/benchmarks/large_store.py [--runs 10000] [--repeats 3] [--keep FOLDER]
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import torch

from ganbench.environment import describe
from ganbench.files import read_file
from ganbench.planning import plan
from ganbench.plugins import discover
from ganbench.records import PROGRESS
from ganbench.request import Request, Setup
from ganbench.results import Results
from ganbench.rows import read
from ganbench.store import Store
from ganbench.tables import FORMATS

SEEDS = 3
EVALUATIONS = 12
REPORTS = 25
COLUMNS = [
    ("fd[n=2000,all:1797,digits-cnn,uint8]", "lower"),
    ("precision[n=2000,all:1797,digits-cnn,uint8,k=3]", "higher"),
    ("recall[n=2000,all:1797,digits-cnn,uint8,k=3]", "higher"),
    ("coverage[n=2000,all:1797,digits-cnn,uint8,k=5]", "higher"),
    ("density[n=2000,all:1797,digits-cnn,uint8,k=5]", "higher"),
    ("class_kl[n=2000,all:1797,digits-cnn,uint8]", "lower"),
    ("classes_covered[n=2000,all:1797,digits-cnn,uint8]", "higher"),
]
COMMANDS = {
    "table": ["table"],
    "table --metric recall": ["table", "--metric", "recall"],
    "table --format csv": ["table", "--format", "csv"],
}


def indented(content):
    return json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"


def as_lines(contents):
    return b"".join(json.dumps(content).encode() + b"\n" for content in contents)


def events():
    """What a run of the quick protocol tells."""
    yield {
        "event": "started",
        "time": time.time(),
        "columns": [{"name": name, "direction": direction} for name, direction in COLUMNS],
    }
    for place in range(REPORTS + 1):
        clock = {
            "generator_steps": 31 * place,
            "discriminator_steps": 31 * place,
            "images": 1984 * place,
            "flops": 0.0,
            "seconds": place * random.random(),
        }
        if place:
            names = ("generator_loss", "discriminator_loss", "value")
            means = {name: random.gauss(0, 1) for name in names}
            yield {"event": "progress", **clock, "share": place / REPORTS, **means}
        if place * (EVALUATIONS - 1) % REPORTS < EVALUATIONS - 1:
            metrics = {name: 40 * random.random() for name, _ in COLUMNS}
            noise = {name: random.random() / 10 for name, _ in COLUMNS}
            yield {"event": "evaluated", **clock, "metrics": metrics, "noise": noise,
                   "alike": False}  # fmt: skip


def outcome(number):
    ended = {"outcome": "completed"}
    if number % 20 == 7:
        ended = {"outcome": "diverged", "step": number, "quantity": "generator_loss",
                 "error": f"generator_loss is not finite at generator step {number}"}  # fmt: skip
    clock = {"generator_steps": 775, "discriminator_steps": 775, "images": 49_600, "flops": 0.0}
    spent = {"seconds": 9 + random.random(), "evaluation_seconds": 8.5, "wall_seconds": 21.5}
    return {"schema": 1, "attempt": 1, **clock, **spent, **ended}


def recipes():
    """One of each loss and recipe, as they are planned."""
    request = Request(losses="all", seeds=1)
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(Path(folder) / "store", Path(folder) / "data", "cpu")
        return [experiment.recipe() for experiment in plan(request, setup, discover())]


def make(path, runs):
    """Fill a store; return how many files of how many bytes there are."""
    store = Store(path, create=True)
    bases, environment = recipes(), describe(torch.device("cpu"), 1, discover())
    written = []

    def write(file, content):
        file.write_bytes(content)
        written.append(len(content))

    (path / "throughput").mkdir()
    for number in range(runs):
        cell_number, seed = divmod(number, SEEDS)
        base = bases[cell_number % len(bases)]
        cell = sha256(f"cell {cell_number}".encode()).hexdigest()
        key = sha256(f"run {number}".encode()).hexdigest()
        short = f"quick:budget={20 + cell_number // len(bases)}kimg"
        protocol = {**base["protocol"], "short": short}
        recipe = {**base, "protocol": protocol, "cell": cell, "key": key, "seed": seed}
        folder = store.run(key).path
        folder.mkdir(parents=True)
        began = {"schema": 1, "event": "began", "attempt": 1, "time": time.time(), "host": "h",
                 "pid": number, "resumed": False}  # fmt: skip
        write(folder / "recipe.json", indented(recipe))
        write(folder / "environment.json", indented({"schema": 1, **environment}))
        write(folder / "attempts.jsonl", as_lines([began]))
        write(folder / "events.jsonl", as_lines(events()))
        write(folder / "outcome.json", indented(outcome(number)))
        write(folder / "log.txt", b"")
        if not seed:
            speed = {"images_per_second": 5000.0, "generator_steps_per_second": 80.0,
                     "flops_per_second": 2e10, "peak_share": 0.2, "spread": 0.1,
                     "peak_memory_bytes": 2**29}  # fmt: skip
            record = {"cell": cell, "environment": environment, **speed}
            write(store.throughput_path(cell, environment["machine"]), indented(record))
    return len(written), sum(written)


def forget(path):
    """Have the store's files read from the disk again; the folders' names stay in memory."""
    os.sync()
    for file in path.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def command(path, arguments):
    """The wall time of a command, its processor's time, and how many lines it printed."""
    code = "from ganbench.cli import main; main()"
    words = [sys.executable, "-P", "-c", code, *arguments, "--store", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, busy, len(done.stdout.splitlines())


def phases(path):
    """Where a warm table's time goes, one thing after another in one thread."""

    def timed(name, action):
        started = time.perf_counter()
        result = action()
        print(f"  {name:30} {time.perf_counter() - started:.2f} s")
        return result

    names = ("recipe.json", "outcome.json", "environment.json", "events.jsonl")
    imports = "import pandas, ganbench.results, ganbench.tables"
    results = Results(path)
    timed("start and imports", lambda: subprocess.run([sys.executable, "-c", imports], check=True))
    folders = timed("listing the runs", lambda: results.folders)
    timed("reading their files", lambda: [read_file(f.path / n) for f in folders for n in names])
    timed("that, parsing and checking", lambda: [bool(read(f, PROGRESS)) for f in folders])
    rows = timed("the same in threads, and rows", results.runs)
    table = timed("that, and the table's rows", results.table)
    timed("text", lambda: FORMATS["text"](table))
    print(f"  {len(rows):,} runs, {len(table):,} cells")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="make the store here, or use the one there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = options.keep or Path(temporary) / "store"
        if not path.exists():
            files, size = make(path, options.runs)
            print(f"{options.runs:,} runs: {files:,} files, {size / 1e6:.0f} MB")
        for repeat in range(1, options.repeats + 1):
            for name, arguments in COMMANDS.items():
                forget(path)
                for state in ("cold", "warm"):
                    wall, busy, lines = command(path, arguments)
                    told = f"{wall:.1f} s ({busy:.1f} s of a core), {lines} lines"
                    print(f"{repeat}. {name}, {state}: {told}", flush=True)
        phases(path)


if __name__ == "__main__":
    main()
