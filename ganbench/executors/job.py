"""One piece of work for another process, as text: only recipes cross process borders."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ganbench.catalogue import Catalogue
from ganbench.plugins import discover


@dataclass(frozen=True)
class PluginChoice:
    """Which plugins take part: the same in the process that plans and in those that run."""

    blocked: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def anywhere(self) -> "PluginChoice":
        """The same, whatever folder a process is in."""
        return PluginChoice(self.blocked, tuple(str(Path(file).resolve()) for file in self.files))

    def discover(self) -> Catalogue:
        return discover(self.blocked, self.files)


@dataclass(frozen=True)
class Job:
    """Train the run of this key, or time its cell; the recipe lies in the store.

    Args:
        task: one of `worker.TASKS`.
        device: as `acceleration.resolve_device` reads it, once only the GPU that the executor
            gives to the job is visible.
        threads: for torch on a CPU.
        supersedes: the number of the attempt whose outcome this job does away with; 0 for none.
            Where there is another outcome by then, somebody else has done the job.
        fresh: begin anew, and not from a checkpoint.
        timeout_seconds: after which the executor ends it; 0 for never.
        memory_bytes: that the process may allocate; 0 for no limit.
        checkpoint_seconds: between checkpoints; negative for as often as costs next to nothing.
        alone: nothing else may be done on its machine meanwhile.
        deterministic: only kernels whose results are the same each time.
    """

    task: str
    key: str
    store: str
    data_folder: str
    device: str = "cpu"
    threads: int = 1
    plugins: PluginChoice = field(default_factory=PluginChoice)
    supersedes: int = 0
    fresh: bool = False
    timeout_seconds: float = 0.0
    memory_bytes: int = 0
    checkpoint_seconds: float = -1.0
    alone: bool = False
    deterministic: bool = False

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
