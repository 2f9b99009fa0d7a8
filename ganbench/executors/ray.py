"""Jobs on the machines of a Ray cluster: its scheduling and placement, not ours."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from threading import current_thread, main_thread
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ganbench.errors import BadInput
from ganbench.executors.executor import Ending, Resources
from ganbench.executors.job import Job
from ganbench.executors.process import GRACE_SECONDS
from ganbench.executors.supervisor import supervise

_DEVICES = ("auto", "cpu", "cuda")
_CONNECT_SECONDS = 5.0
_MARGIN_SECONDS = 5.0  # for what Ray itself takes, when tasks are cancelled
_STORE_BYTES = 100 * 2**20  # of a Ray of one's own, for its objects; here they are a few lines


class RayExecutor:
    """A Ray task for each job, which starts the same process on a node as is started locally.

    ganbench has to be installed on all nodes, and the store and the data to lie in folders that
    they share. `auto` is a GPU if the cluster has any when it is asked for, whatever this machine
    has; it is the same for all jobs, and each is told which.

    A task is never retried by Ray: whoever started the job decides, and resumes it.
    """

    is_here: ClassVar[bool] = False

    def __init__(self, resources: Resources) -> None:
        self._ray: Any = _module()
        self._resources = resources
        self._under_way: dict[Any, Job] = {}
        self._connected = not self._ray.is_initialized()
        if self._connected:
            _connect(self._ray, resources)
        try:
            self._on_gpu = self._needs_gpu()
            self._check_room()
        except BadInput:
            self.stop()
            raise
        self._task = self._ray.remote(max_retries=0)(supervise)

    @property
    def slots(self) -> int:
        return self._resources.jobs or max(1, self._fitting())

    def start(self, job: Job) -> None:
        task = self._task.options(
            num_cpus=self._cores_of_a_node() if job.alone else job.threads,
            num_gpus=int(self._on_gpu),
            name=f"ganbench {job.task} {job.key[:8]}",
        )
        settled = replace(job, device="cuda" if self._on_gpu else "cpu")
        self._under_way[task.remote(settled.to_text())] = job

    def ended(self) -> list[tuple[Job, Ending]]:
        return [(self._under_way.pop(ref), self._ending(ref)) for ref in self._done(0)]

    def stop(self) -> None:
        for ref in self._under_way:
            self._ray.cancel(ref)
        for ref in self._done(GRACE_SECONDS + _MARGIN_SECONDS):
            del self._under_way[ref]
        for ref in self._under_way:
            self._ray.cancel(ref, force=True)
        self._done(_MARGIN_SECONDS)
        self._under_way.clear()
        if self._connected:
            self._ray.shutdown()
            _let_talk(self._ray, True)

    def _done(self, seconds: float) -> list[Any]:
        """The tasks that are over; waits for all, but not longer than that."""
        refs = list(self._under_way)
        if not refs:
            return []
        done: list[Any] = self._ray.wait(refs, num_returns=len(refs), timeout=seconds)[0]
        return done

    def _ending(self, ref: Any) -> Ending:
        try:
            ending: Ending = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            reason = str(error).strip().splitlines()[-1]  # of a traceback
            return Ending(lost=f"{reason}. Is this ganbench installed on all nodes?")
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0].partition(". ")[0]  # and then advice
            return Ending(lost=f"{type(error).__name__}: {reason.rstrip('.')}")
        return ending

    def _needs_gpu(self) -> bool:
        device = self._resources.device
        if device not in _DEVICES:
            known = ", ".join(_DEVICES)
            raise BadInput(
                f"device '{device}' can't be had on Ray, which itself gives each job its GPU.\n"
                f"  Known: {known}"
            )
        return device == "cuda" or (device == "auto" and any(map(_gpus, self._nodes())))

    def _check_room(self) -> None:
        """Refuse what would wait for ever, unless the user says that there will be room."""
        if self._resources.jobs or self._fitting():
            return
        threads = self._resources.threads
        cores = f"{threads} CPU core{'s' * (threads != 1)}"
        raise BadInput(
            f"no node of the Ray cluster has {cores}{' and a GPU' * self._on_gpu} now.\n"
            "  For a cluster that grows when there is work, `--jobs` says how far."
        )

    def _fitting(self) -> int:
        """How many jobs the cluster does at once as it is now."""
        return sum(map(self._fitting_on, self._nodes()))

    def _cores_of_a_node(self) -> int:
        """As many as the largest has: whoever gets them is alone on it, as far as Ray knows."""
        return max(int(node.get("CPU", 0)) for node in self._nodes())

    def _fitting_on(self, node: dict[str, float]) -> int:
        by_cores = int(node.get("CPU", 0)) // self._resources.threads
        return min(by_cores, _gpus(node)) if self._on_gpu else by_cores

    def _nodes(self) -> list[dict[str, float]]:
        """What each node has, in use or not."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]


def _gpus(node: dict[str, float]) -> int:
    return int(node.get("GPU", 0))


def _module() -> ModuleType:
    try:
        import ray
    except ImportError as error:
        raise BadInput(
            f"the executor 'ray' needs the package ray ({error}).\n  pip install 'ganbench[ray]'"
        ) from error
    module: ModuleType = ray
    return module


def _connect(ray: Any, resources: Resources) -> None:
    """Join the cluster, or start a Ray of one's own on this machine; quietly.

    Raises:
        BadInput: nobody answers there, or not as Ray.
    """
    address, own = resources.address, {}
    if address:
        _check_answers(address)
    else:
        address, own = "local", _own(resources)
    _let_talk(ray, False)
    try:
        with _sigterm_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        _let_talk(ray, True)
        raise BadInput(
            f"no Ray at '{address}': {error}.\n"
            "  If the cluster asks for a token: RAY_AUTH_MODE=token."
        ) from error


def _let_talk(ray: Any, may: bool) -> None:
    """Whether Ray tells on stdout what became of nodes, in pages; tables and progress are there.

    `log_to_driver` leaves that on. This is the switch that Ray's own debugger uses.
    """
    ray._private.worker._worker_logs_enabled = may


def _own(resources: Resources) -> dict[str, Any]:
    """What a Ray of one's own has: this machine's cores, or as many as what is asked for takes."""
    from ganbench.acceleration import cpu_count  # not above: a node's part goes without torch

    return {
        "num_cpus": max(cpu_count(), max(1, resources.jobs) * resources.threads),
        "object_store_memory": _STORE_BYTES,
        "include_dashboard": False,
    }


def _check_answers(address: str) -> None:
    """Ray itself tries for minutes, and writes about it, where nothing listens.

    Raises:
        BadInput: nothing does.
    """
    asked = _written_down() if address == "auto" else address
    place = urlsplit(asked if "://" in asked else f"//{asked}")
    try:
        host, port = place.hostname, place.port
        if host and port:
            socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"no Ray answers at {asked}: {error}.\n"
            "  `ray start --head` starts one; `auto` finds the one of this machine."
        ) from error


def _written_down() -> str:
    """What `auto` is for Ray: its variable, or where the cluster last started here is; or empty."""
    folder = Path(os.environ.get("RAY_TMPDIR") or gettempdir())
    latest = folder / "ray" / "ray_current_cluster"
    named = os.environ.get("RAY_ADDRESS", "")
    return named or (latest.read_text().strip() if latest.is_file() else "")


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself when it starts; whoever had it gets it back.

    Where nobody had, it stays with Ray, whose SystemExit lets the jobs be ended in peace.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and current_thread() is main_thread():
            signal.signal(signal.SIGTERM, before)
