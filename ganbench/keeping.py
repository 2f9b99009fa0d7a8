"""When a run under way writes a checkpoint, and from which one an interrupted run goes on."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ganbench.budget import Clock
from ganbench.checkpoint import DoesNotFit, capture, restore
from ganbench.checkpoint_files import Checkpoint, Checkpoints
from ganbench.components import Schedule
from ganbench.store import RunFolder
from ganbench.training import Game

# Where checkpoints come as often as costs next to nothing: at least so long after the last one,
# and so many times as long as it took.
_SECONDS = 30.0
_TIMES = 100


class Interrupted(Exception):
    """The run was asked to end, and has written a checkpoint."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Attempt:
    """How a run is done this time; none of it changes what is computed.

    Args:
        number: of the attempt at this run, from 1.
        checkpoint_seconds: between checkpoints; negative for as often as costs next to nothing.
        asked_to_end: looked at now and then; where it is true, the run writes a checkpoint and
            is `Interrupted`.
    """

    number: int = 1
    checkpoint_seconds: float = -1.0
    asked_to_end: Callable[[], bool] = _never


@dataclass
class Progress:
    """How far a run is: with the game, all that decides how it goes on.

    Args:
        share: of the budget that is spent.
        due: the number of the next evaluation, the untrained generator's being 0.
        last_progress: the generator step in which the share last rose.
    """

    clock: Clock = field(default_factory=Clock)
    share: float = 0.0
    due: int = 1
    last_progress: int = 0
    evaluation_seconds: float = 0.0
    checkpoint_seconds: float = 0.0

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Progress":
        fields = {name: content[name] for name in cls.__dataclass_fields__ if name != "clock"}
        return cls(clock=Clock(**content["clock"]), **fields)


class Resumed(NamedTuple):
    """What an interrupted run goes on with."""

    game: Game
    schedule: Schedule
    progress: Progress


class Keeper:
    """Keeps a run under way."""

    def __init__(self, folder: RunFolder, attempt: Attempt) -> None:
        self._folder = folder
        self._attempt = attempt
        self._checkpoints = Checkpoints(folder.checkpoints_path, folder.check_held)
        self._saved = time.perf_counter()
        self._cost = 0.0
        self._ends = False

    def resumed(self, fresh: Callable[[], tuple[Game, Schedule]]) -> Resumed | None:
        """That of the last sound checkpoint; None where there is none.

        Args:
            fresh: makes the game as it was before its first step.
        """
        for checkpoint in self._checkpoints.sound():
            try:
                return self._restored(checkpoint, *fresh())
            except (DoesNotFit, KeyError, TypeError, ValueError) as error:
                print(f"checkpoint left out: {error}", file=sys.stderr)
        return None

    def _restored(self, checkpoint: Checkpoint, game: Game, schedule: Schedule) -> Resumed:
        progress = Progress.from_json(checkpoint.progress)
        events_size = int(checkpoint.progress["events_size"])
        if self._folder.events_size < events_size:
            raise DoesNotFit("the events before it are not there")
        restore(game, schedule, checkpoint.state)
        steps = progress.clock.generator_steps
        self._checkpoints.forget_after(steps)
        self._folder.go_on_from(events_size, steps)
        self._folder.note_resumption(self._attempt.number, steps)
        return Resumed(game, schedule, progress)

    def begin(self) -> None:
        """Count the time to the next checkpoint from now."""
        self._saved = time.perf_counter()

    def is_due(self) -> bool:
        """Whether it is time for a checkpoint, or the run is to end here."""
        self._ends = self._attempt.asked_to_end()
        return self._ends or time.perf_counter() - self._saved >= self._interval

    def save(self, game: Game, schedule: Schedule, progress: Progress) -> None:
        """Write a checkpoint.

        Raises:
            Interrupted: the run is to end here.
        """
        started = time.perf_counter()
        content = {**asdict(progress), "events_size": self._folder.events_size}
        self._checkpoints.save(progress.clock.generator_steps, capture(game, schedule), content)
        self._saved = time.perf_counter()
        self._cost = self._saved - started
        progress.checkpoint_seconds += self._cost
        if self._ends:
            raise Interrupted

    @property
    def _interval(self) -> float:
        if self._attempt.checkpoint_seconds >= 0:
            return self._attempt.checkpoint_seconds
        return max(_SECONDS, _TIMES * self._cost)
