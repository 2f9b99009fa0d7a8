"""One experiment, trained and scored to one outcome."""

import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from inspect import getsourcefile
from pathlib import Path
from typing import Any

import torch

from ganbench.catalogue import Component
from ganbench.checkpoint_files import Checkpoints
from ganbench.data import Data
from ganbench.errors import ContractBroken, StoreError
from ganbench.experiment import Experiment
from ganbench.play import Attempt, Diverged, Interrupted, Play
from ganbench.store import RESULTS, Outcome, RunFolder


def run(
    experiment: Experiment,
    data: Data,
    device: torch.device,
    folder: RunFolder,
    attempt: Attempt = Attempt(),  # noqa: B008, it is frozen
) -> Outcome:
    """Train and score; the outcome, and whatever it took, is in `folder` when this returns.

    A run that was interrupted goes on from its last checkpoint. `wall_seconds` are those of this
    attempt; all other quantities are the whole run's.

    Raises:
        Interrupted: there is a checkpoint and no outcome.
        StoreError: the folder can't be written, so that there is no outcome.
    """
    play = Play(experiment, data, device, folder, attempt)
    started = time.perf_counter()
    outcome = Outcome.COMPLETED
    details: Mapping[str, Any] = {}
    try:
        play.play()
    except (Interrupted, StoreError):
        raise
    except Diverged as error:
        outcome = Outcome.DIVERGED
        details = {"step": error.step, "quantity": error.quantity, "error": str(error)}
    except (Exception, SystemExit) as error:
        if _is_out_of_memory(error):
            outcome, details = Outcome.OUT_OF_MEMORY, {"error": str(error)}
        else:
            outcome, details = _blame(error, experiment)
    folder.finish(
        outcome,
        attempt=attempt.number,
        **asdict(play.progress.clock),
        evaluation_seconds=play.progress.evaluation_seconds,
        checkpoint_seconds=play.progress.checkpoint_seconds,
        wall_seconds=time.perf_counter() - started,
        sha256=folder.digests(),
        **details,
    )
    if outcome in RESULTS:
        Checkpoints(folder.checkpoints_path).remove()
    return outcome


def _is_out_of_memory(error: BaseException) -> bool:
    """torch's allocator for CPUs raises a plain RuntimeError."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't alloc" in str(error)


def _blame(error: BaseException, experiment: Experiment) -> tuple[Outcome, Mapping[str, Any]]:
    """Whose fault an exception is: the component's whose code is innermost on the stack."""
    details = {
        "type": type(error).__name__,
        "error": f"{type(error).__name__}: {error}",
        "traceback": "".join(traceback.format_exception(error)),
    }
    components = [choice.component for choice in experiment.choices]
    if isinstance(error, ContractBroken):
        blamed = [component for component in components if component.cls is error.part]
    else:
        frames = [Path(f.filename) for f in traceback.extract_tb(error.__traceback__)]
        blamed = [c for frame in reversed(frames) for c in components if _source(c) == frame]
    if blamed:
        return Outcome.PLUGIN_ERROR, {**details, "plugin": str(blamed[0].origin)}
    return Outcome.CRASHED, details


def _source(component: Component) -> Path | None:
    try:
        return Path(getsourcefile(component.cls) or "")
    except TypeError:  # its module has no file
        return None
