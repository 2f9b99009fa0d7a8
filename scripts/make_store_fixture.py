"""Make tests/fixtures/store-schema-N: a small store as this version of ganbench writes it.

Run it once for each schema, with ganbench installed from a wheel, so that no digest of its source
is in the recipes, and commit what it wrote as it is:

    python scripts/make_store_fixture.py tests/fixtures/store-schema-1
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import ganbench
from ganbench.executors.job import Job
from ganbench.executors.worker import train_and_score
from ganbench.planning import plan
from ganbench.play import Interrupted
from ganbench.plugins import discover
from ganbench.request import Request, Setup
from ganbench.store import Store

DATA = "gaussian:size=500"
PROTOCOL = "quick:batch_size=4:evaluations=2:evaluation_samples=50"
CELL = {"architectures": "mlp:width=8:depth=1", "metrics": "fd-points", "seeds": 1}


def main() -> None:
    path = Path(sys.argv[1])
    with TemporaryDirectory() as data_folder:
        for protocol in (PROTOCOL, f"{PROTOCOL}:generator_lr=1e30"):
            ganbench.run(
                "nonsat", DATA, protocol=f"{protocol}:budget=20gsteps", store=path, jobs=1,
                device="cpu", data_folder=data_folder, **CELL,
            )  # fmt: skip
        interrupt(path, Path(data_folder))


def interrupt(path: Path, data_folder: Path) -> None:
    """Begin a run, and end it with SIGTERM once it has a checkpoint."""
    request = Request("hinge", DATA, protocol=f"{PROTOCOL}:budget=2000gsteps", **CELL)
    (experiment,) = plan(request, Setup(path, data_folder, "cpu"), discover())
    folder = Store(path).run(experiment.key)
    folder.plan(experiment.recipe())

    def end() -> None:
        while not list(folder.path.glob("checkpoints/*/manifest.json")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=end, daemon=True).start()
    job = Job("run", experiment.key, str(path), str(data_folder), checkpoint_seconds=0.0)
    with suppress(Interrupted):
        train_and_score(job, Store(path))
    if folder.status != "interrupted":
        raise SystemExit("the run was too fast to be interrupted: try again")


if __name__ == "__main__":
    main()
