"""One experiment, trained and scored to one outcome."""

import math
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import getsourcefile
from pathlib import Path
from typing import Any

import torch

from ganbench.acceleration import synchronize
from ganbench.assembly import assemble, latent_space
from ganbench.budget import Budget, Clock
from ganbench.catalogue import Component
from ganbench.checkpoint import weights_of
from ganbench.components import Scalar, Schedule
from ganbench.data import Data
from ganbench.errors import BadInput, ContractBroken
from ganbench.evaluation import Evaluator, NotFinite, evaluation_latents
from ganbench.experiment import Experiment
from ganbench.pictures import save_picture
from ganbench.randomness import random_state_kept
from ganbench.reference import References, default_folder
from ganbench.scores import prepared
from ganbench.scoring import Scorer
from ganbench.store import Outcome, RunFolder
from ganbench.timing import Flops, count_flops
from ganbench.training import Game, Round, train, value_function

# Rounds between two readings of the losses from the device.
WINDOW = 100
_ROUNDS_FOR_NOTHING = 10_000


class Diverged(Exception):
    """A quantity became NaN or infinite in the generator step of this number, from 1."""

    def __init__(self, step: int, quantity: str) -> None:
        super().__init__(f"{quantity} is not finite at generator step {step}")
        self.step = step
        self.quantity = quantity


def run(
    experiment: Experiment,
    data: Data,
    device: torch.device,
    folder: RunFolder,
) -> Outcome:
    """Train and score; the outcome, and whatever it took, is in `folder` when this returns."""
    attempt = _Attempt(experiment, data, device, folder)
    started = time.perf_counter()
    outcome = Outcome.COMPLETED
    details: Mapping[str, Any] = {}
    try:
        attempt.play()
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
        **asdict(attempt.clock),
        evaluation_seconds=attempt.evaluation_seconds,
        wall_seconds=time.perf_counter() - started,
        **details,
    )
    return outcome


class _Attempt:
    """A run under way: the game, its clock, and what it writes down."""

    def __init__(
        self,
        experiment: Experiment,
        data: Data,
        device: torch.device,
        folder: RunFolder,
    ) -> None:
        self.clock = Clock()
        self.evaluation_seconds = 0.0
        self._experiment = experiment
        self._data = data
        self._device = device
        self._folder = folder
        self._window: list[Round] = []
        self._resumed = time.perf_counter()

    def play(self) -> None:
        """Train until the budget is spent, evaluating before, along the way and at the end."""
        settings = self._experiment.settings
        budget = settings.clock
        schedule: Schedule = self._experiment.schedule.create()
        flops = self._flops(budget)
        game = assemble(self._experiment, self._data, self._device)
        with random_state_kept(self._device):
            evaluator = self._evaluator()
        self._evaluate(game, evaluator)
        due, spent, last_progress = 1, 0.0, 0
        for finished in train(game, schedule):
            self._tick(finished, settings.batch_size, flops)
            share = budget.share_spent(self.clock)
            if share > spent:
                spent, last_progress = share, self.clock.generator_steps
            elif self.clock.generator_steps - last_progress == _ROUNDS_FOR_NOTHING:
                raise ContractBroken(
                    type(schedule), f"spent nothing of {budget} in {_ROUNDS_FOR_NOTHING:,} rounds"
                )
            game.scale_lr(settings.lr_scale(share))
            evaluation_due = share >= min(due / settings.evaluations, 1)
            if evaluation_due or len(self._window) == WINDOW:
                self._read_window(share)
            if evaluation_due:
                self._evaluate(game, evaluator)
                due = max(due, math.floor(share * settings.evaluations)) + 1
            if share >= 1:
                break
        self._folder.save_generator(weights_of(game.sampler))

    def _flops(self, budget: Budget) -> Flops:
        """Those of the steps, where the budget asks; on a spare game."""
        if budget.unit != "flop":
            return Flops()
        return count_flops(assemble(self._experiment, self._data, self._device))

    def _evaluator(self) -> Evaluator:
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
        columns = [column._asdict() for column in scorer.columns]
        self._folder.append_event({"event": "started", "time": time.time(), "columns": columns})
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
                picture = evaluator.picture(game.sampler)
        except NotFinite:
            raise Diverged(self.clock.generator_steps, "generated samples") from None
        save_picture(picture, self._data, self._folder.picture_path(self.clock.generator_steps))
        self._note("evaluated", **scored.as_json())
        self.evaluation_seconds += time.perf_counter() - started
        self._resumed = time.perf_counter()

    def _note(self, event: str, **content: object) -> None:
        self._folder.append_event({"event": event, **asdict(self.clock), **content})


def _mean(losses: Sequence[Scalar]) -> float:
    return float(torch.stack(list(losses)).mean())


def _is_out_of_memory(error: BaseException) -> bool:
    """torch's allocator for CPUs raises a plain RuntimeError."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't alloc" in str(error)


def _blame(error: BaseException, experiment: Experiment) -> tuple[Outcome, Mapping[str, Any]]:
    """Whose fault an exception is: the component's whose code is innermost on the stack."""
    details = {
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
