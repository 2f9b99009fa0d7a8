"""A run under way: trained, scored and kept, round by round, until its budget is spent."""

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from ganbench.acceleration import synchronize
from ganbench.assembly import assemble, latent_space, schedule_of
from ganbench.budget import Budget, Clock
from ganbench.checkpoint import DoesNotFit, capture, restore, weights_of
from ganbench.checkpoint_files import Checkpoint, Checkpoints
from ganbench.components import Scalar, Schedule
from ganbench.data import Data
from ganbench.errors import BadInput, ContractBroken
from ganbench.evaluation import Evaluator, NotFinite, evaluation_latents
from ganbench.experiment import Experiment
from ganbench.pictures import picture
from ganbench.randomness import random_state_kept
from ganbench.reference import References, default_folder
from ganbench.scores import prepared
from ganbench.scoring import Scorer
from ganbench.store import SCHEMA, RunFolder
from ganbench.timing import Flops, count_flops
from ganbench.training import Game, Round, train, value_function

# Rounds between two readings of the losses from the device.
WINDOW = 100
_ROUNDS_FOR_NOTHING = 10_000
# Where checkpoints come as often as costs next to nothing: at least so long after the last one,
# and so many times as long as it took.
_CHECKPOINT_SECONDS = 30.0
_CHECKPOINT_SHARE = 100


class Diverged(Exception):
    """A quantity became NaN or infinite in the generator step of this number, from 1."""

    def __init__(self, step: int, quantity: str) -> None:
        super().__init__(f"{quantity} is not finite at generator step {step}")
        self.step = step
        self.quantity = quantity


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


class Play:
    """A run under way: the game, its clock, and what it writes down."""

    def __init__(
        self,
        experiment: Experiment,
        data: Data,
        device: torch.device,
        folder: RunFolder,
        attempt: Attempt,
    ) -> None:
        self.progress = Progress()
        self._experiment = experiment
        self._data = data
        self._device = device
        self._folder = folder
        self._attempt = attempt
        self._checkpoints = Checkpoints(folder.checkpoints_path, folder.check_held)
        self._checkpointed = time.perf_counter()
        self._checkpoint_cost = 0.0
        self._window: list[Round] = []
        self._resumed = time.perf_counter()

    @property
    def clock(self) -> Clock:
        return self.progress.clock

    def play(self) -> None:
        """Train until the budget is spent, evaluating before, along the way and at the end."""
        settings = self._experiment.settings
        flops = self._flops(settings.clock)
        resumed = self._resumed_game()
        if resumed is None:
            self._folder.begin_anew()
        game, schedule = resumed or self._fresh_game()
        evaluator = self._evaluator()
        if resumed is None:
            self._evaluate(game, evaluator)
        self._checkpointed = self._resumed = time.perf_counter()
        for finished in train(game, schedule) if self.progress.share < 1 else ():
            self._tick(finished, settings.batch_size, flops)
            self._note_share(schedule)
            share = self.progress.share
            game.scale_lr(settings.lr_scale(share))
            evaluation_due = share >= min(self.progress.due / settings.evaluations, 1)
            if evaluation_due or len(self._window) == WINDOW:
                self._read_window(share)
            if evaluation_due:
                self._evaluate(game, evaluator)
                due = max(self.progress.due, math.floor(share * settings.evaluations)) + 1
                self.progress.due = due
            if share >= 1:
                break
            if not self._window:
                self._keep(game, schedule)
        self._folder.save_generator(weights_of(game.sampler))

    def _note_share(self, schedule: Schedule) -> None:
        """Note what is spent; a schedule that spends nothing would go on for ever."""
        budget, progress = self._experiment.settings.clock, self.progress
        share = budget.share_spent(self.clock)
        if share > progress.share:
            progress.share, progress.last_progress = share, self.clock.generator_steps
        elif self.clock.generator_steps - progress.last_progress == _ROUNDS_FOR_NOTHING:
            raise ContractBroken(
                type(schedule), f"spent nothing of {budget} in {_ROUNDS_FOR_NOTHING:,} rounds"
            )

    def _fresh_game(self) -> tuple[Game, Schedule]:
        game = assemble(self._experiment, self._data, self._device)
        return game, schedule_of(self._experiment)

    def _resumed_game(self) -> tuple[Game, Schedule] | None:
        """That of the last sound checkpoint; None where there is none."""
        for checkpoint in self._checkpoints.sound():
            try:
                return self._restored(checkpoint)
            except (DoesNotFit, KeyError, TypeError, ValueError) as error:
                print(f"checkpoint left out: {error}", file=sys.stderr)
        return None

    def _restored(self, checkpoint: Checkpoint) -> tuple[Game, Schedule]:
        progress = Progress.from_json(checkpoint.progress)
        events_size = int(checkpoint.progress["events_size"])
        if self._folder.events_size < events_size:
            raise DoesNotFit("the events before it are not there")
        game, schedule = self._fresh_game()
        restore(game, schedule, checkpoint.state)
        self.progress = progress
        self._checkpoints.forget_after(self.clock.generator_steps)
        self._folder.go_on_from(events_size, self.clock.generator_steps)
        self._folder.note_resumption(self._attempt.number, self.clock.generator_steps)
        return game, schedule

    def _keep(self, game: Game, schedule: Schedule) -> None:
        """Write a checkpoint if it is time, or if the run is to end here."""
        asked_to_end = self._attempt.asked_to_end()
        if not asked_to_end and time.perf_counter() - self._checkpointed < self._interval:
            return
        self._advance()
        started = time.perf_counter()
        content = {**asdict(self.progress), "events_size": self._folder.events_size}
        self._checkpoints.save(self.clock.generator_steps, capture(game, schedule), content)
        self._checkpointed = self._resumed = time.perf_counter()
        self._checkpoint_cost = self._checkpointed - started
        self.progress.checkpoint_seconds += self._checkpoint_cost
        if asked_to_end:
            raise Interrupted

    @property
    def _interval(self) -> float:
        if self._attempt.checkpoint_seconds >= 0:
            return self._attempt.checkpoint_seconds
        return max(_CHECKPOINT_SECONDS, _CHECKPOINT_SHARE * self._checkpoint_cost)

    def _flops(self, budget: Budget) -> Flops:
        """Those of the steps, where the budget asks; on a spare game."""
        if budget.unit != "flop":
            return Flops()
        return count_flops(assemble(self._experiment, self._data, self._device))

    def _evaluator(self) -> Evaluator:
        with random_state_kept(self._device):
            return self._made_evaluator()

    def _made_evaluator(self) -> Evaluator:
        experiment, samples = self._experiment, self._experiment.settings.evaluation_samples
        scales = prepared(experiment.scores, self._data, samples)
        for planned, scale in zip(experiment.scores, scales, strict=True):
            if planned.settings != scale.score.settings:
                raise BadInput(f"planned with {planned.settings}, and not {scale.score.settings}")
        scorer = Scorer(
            scales,
            self._data,
            samples,
            self._device,
            References(default_folder()),
            experiment.settings.drawn,
        )
        if not self._folder.events_size:
            columns = [column._asdict() for column in scorer.columns]
            self._folder.append_event(
                {"event": "started", "schema": SCHEMA, "time": time.time(), "columns": columns}
            )
        latents = latent_space(experiment).draw(samples, evaluation_latents(experiment.seed))
        return Evaluator(scorer, latents, self._device, images=self._data.is_images)

    def _tick(self, finished: Round, batch_size: int, flops: Flops) -> None:
        self.clock.generator_steps += 1
        self.clock.discriminator_steps += sum(move.moved for move in finished.discriminator)
        self.clock.images += len(finished.discriminator) * batch_size
        self.clock.flops += flops.of(finished)
        self._window.append(finished)
        self._advance()

    def _advance(self) -> None:
        now = time.perf_counter()
        self.clock.seconds += now - self._resumed
        self._resumed = now

    def _read_window(self, share: float) -> None:
        """Read the window's losses off the device, once; note them, or that they diverged."""
        synchronize(self._device)
        self._advance()
        window, self._window = self._window, []
        self._check_finite(window)
        moves = [move for finished in window for move in finished.discriminator]
        means = {"generator_loss": _mean([finished.generator_loss for finished in window])}
        if moves:
            means["discriminator_loss"] = _mean([move.loss for move in moves])
        real = [move.real for move in moves if move.real is not None]
        fake = [move.fake for move in moves if move.fake is not None]
        if real and fake:
            value = value_function(torch.cat(real).float(), torch.cat(fake).float())
            means["value"] = float(value)
        self._note("progress", share=share, **means)

    def _check_finite(self, window: list[Round]) -> None:
        """Find the first loss of the window that is not finite, D's before G's in each round."""
        first = self.clock.generator_steps - len(window) + 1
        named = [
            (step, name, loss)
            for step, finished in enumerate(window, first)
            for name, loss in (
                *(("discriminator_loss", move.loss) for move in finished.discriminator),
                ("generator_loss", finished.generator_loss),
            )
        ]
        finite = torch.isfinite(torch.stack([loss for _, _, loss in named])).tolist()
        for (step, name, _), sound in zip(named, finite, strict=True):
            if not sound:
                raise Diverged(step, name)

    def _evaluate(self, game: Game, evaluator: Evaluator) -> None:
        started = time.perf_counter()
        try:
            with random_state_kept(self._device):
                scored = evaluator.evaluate(
                    game.sampler, game.discriminator.network, game.objective.loss
                )
                fakes = evaluator.picture(game.sampler)
        except NotFinite:
            raise Diverged(self.clock.generator_steps, "generated samples") from None
        self._folder.save_picture(self.clock.generator_steps, picture(fakes, self._data))
        self._note("evaluated", **scored.as_json())
        self.progress.evaluation_seconds += time.perf_counter() - started
        self._resumed = time.perf_counter()

    def _note(self, event: str, **content: object) -> None:
        self._folder.append_event({"event": event, **asdict(self.clock), **content})


def _mean(losses: Sequence[Scalar]) -> float:
    return float(torch.stack(list(losses)).mean())
