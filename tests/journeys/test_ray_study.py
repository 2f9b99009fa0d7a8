"""A study on a Ray cluster of several nodes, one of which is lost while it works."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import ganbench
from ganbench.study import Observer

pytest.importorskip("ray")
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow

STUDY = {
    "losses": "nonsat+lecam",
    "dataset": "gaussian:size=500",
    "architectures": "mlp:width=8:depth=1",
    "protocol": "quick:batch_size=4:evaluations=4:evaluation_samples=200",
    "budget": "3000gsteps",
    "seeds": 2,
}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that does no jobs, and two nodes of one core."""
    with (
        TemporaryDirectory(prefix="ray", dir="/tmp") as short,  # paths of sockets have to be short
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("RAY_TMPDIR", short)
        patch.delenv("RAY_ADDRESS", raising=False)
        made = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            made.add_node(num_cpus=1)
        yield made
        made.shutdown()


class Watching(Observer):
    """Notes what is tried again, and why."""

    def __init__(self) -> None:
        self.tried_again: list[str] = []

    def again(self, experiment, why):
        self.tried_again.append(why)


def kill_a_node_once_both_have_checkpoints(cluster: Cluster, store: Path) -> None:
    while len({path.parents[1] for path in store.glob("runs/*/checkpoints/*/manifest.json")}) < 2:
        time.sleep(0.05)
    cluster.remove_node(list(cluster.worker_nodes)[-1], allow_graceful=False)


def test_a_study_survives_the_loss_of_a_node(cluster, tmp_path):
    undisturbed = ganbench.run(**STUDY, store=tmp_path / "alone")
    store, observer = tmp_path / "shared", Watching()
    killer = threading.Thread(
        target=kill_a_node_once_both_have_checkpoints, args=(cluster, store), daemon=True
    )
    killer.start()
    results = ganbench.run(
        **STUDY,
        store=store,
        executor="ray",
        ray_address=cluster.address,
        checkpoint_seconds=0.0,
        observer=observer,
    )
    killer.join(10)
    assert not killer.is_alive()
    assert list(results.runs()["outcome"]) == ["completed"] * 2
    assert len(observer.tried_again) == 1
    assert "NodeDied" in observer.tried_again[0] or "WorkerCrashed" in observer.tried_again[0]
    resumed = [line for f in results.folders for line in f.attempts() if line["event"] == "resumed"]
    assert len(resumed) == 1
    assert resumed[0]["generator_steps"] > 0
    for lost, alone in zip(results.folders, undisturbed.folders, strict=True):
        assert lost.key == alone.key
        assert lost.generator_path.read_bytes() == alone.generator_path.read_bytes()
    table = results.table()
    assert (table["images_per_second"] > 0).all()  # timed on a node, alone
