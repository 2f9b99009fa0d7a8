"""One piece of work for another process, as text: only recipes cross process borders."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ganbench.catalogue import Catalogue
from ganbench.plugins import discover


@dataclass(frozen=True)
class PluginChoice:
    """Which plugins take part: the same in the process that plans and in those that run."""

    blocked: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def discover(self) -> Catalogue:
        return discover(self.blocked, self.files)


@dataclass(frozen=True)
class Job:
    """Train the run of this key, or time its cell; the recipe lies in the store.

    Args:
        task: one of `worker.TASKS`.
        device: as `acceleration.resolve_device` reads it.
        threads: for torch on a CPU.
        parent: the process that waits for the job; the worker ends with it.
    """

    task: str
    key: str
    store: str
    data_folder: str
    device: str
    threads: int
    plugins: PluginChoice
    parent: int

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Job":
        fields = json.loads(text)
        chosen = fields.pop("plugins")
        plugins = PluginChoice(tuple(chosen["blocked"]), tuple(chosen["files"]))
        return cls(**fields, plugins=plugins)

    @property
    def run_path(self) -> Path:
        return Path(self.store) / "runs" / self.key
