"""A run under way: trained, scored and kept, round by round, until its budget is spent."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict

import torch

from ganbench.acceleration import synchronize
from ganbench.assembly import assemble, latent_space, schedule_of
from ganbench.budget import Budget, Clock
from ganbench.checkpoint import weights_of
from ganbench.components import Scalar, Schedule
from ganbench.data import Data
from ganbench.errors import BadInput, ContractBroken
from ganbench.evaluation import Evaluator, NotFinite, evaluation_latents
from ganbench.experiment import Experiment
from ganbench.keeping import Attempt, Keeper, Progress
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


class Diverged(Exception):
    """A quantity became NaN or infinite in the generator step of this number, from 1."""

    def __init__(self, step: int, quantity: str) -> None:
        super().__init__(f"{quantity} is not finite at generator step {step}")
        self.step = step
        self.quantity = quantity


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
        self._keeper = Keeper(folder, attempt)
        self._window: list[Round] = []
        self._resumed = time.perf_counter()

    @property
    def clock(self) -> Clock:
        return self.progress.clock

    def play(self) -> None:
        """Train until the budget is spent, evaluating before, along the way and at the end."""
        settings = self._experiment.settings
        flops = self._flops(settings.clock)
        resumed = self._keeper.resumed(self._fresh_game)
        if resumed is None:
            self._folder.begin_anew()
            game, schedule = self._fresh_game()
        else:
            game, schedule, self.progress = resumed
        evaluator = self._evaluator()
        if resumed is None:
            self._evaluate(game, evaluator)
        self._keeper.begin()
        self._resumed = time.perf_counter()
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

    def _keep(self, game: Game, schedule: Schedule) -> None:
        """Write a checkpoint, if it is time; it takes none of the budget's."""
        if self._keeper.is_due():
            self._advance()
            self._keeper.save(game, schedule, self.progress)
            self._resumed = time.perf_counter()

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
