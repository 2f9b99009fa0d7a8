"""One experiment, trained and scored to one outcome."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from ganbench.blame import blamed, traceback_of
from ganbench.checkpoint_files import Checkpoints
from ganbench.data import Data
from ganbench.errors import StoreError, in_a_line
from ganbench.experiment import Experiment
from ganbench.keeping import Attempt, Interrupted
from ganbench.play import Diverged, Play
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
    except (Interrupted, StoreError, KeyboardInterrupt):
        raise
    except Diverged as error:
        outcome = Outcome.DIVERGED
        details = {"step": error.step, "quantity": error.quantity, "error": str(error)}
    except BaseException as error:  # a plugin may raise anything, and exit
        outcome, details = _told_of(error, experiment)
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


def _told_of(error: BaseException, experiment: Experiment) -> tuple[Outcome, Mapping[str, Any]]:
    """The outcome that an exception is, and whose fault it is."""
    details = {
        "type": type(error).__name__,
        "error": in_a_line(error),
        "traceback": traceback_of(error),
    }
    if _is_out_of_memory(error):
        return Outcome.OUT_OF_MEMORY, details
    plugin = blamed(error, experiment.choices)
    if plugin is None:
        return Outcome.CRASHED, details
    return Outcome.PLUGIN_ERROR, {**details, "plugin": str(plugin)}


def _is_out_of_memory(error: BaseException) -> bool:
    """torch's allocator for CPUs raises a plain RuntimeError."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't alloc" in str(error)
