import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from ganbench import play as playing
from ganbench.catalogue import LOSS, METRIC, SCHEDULE
from ganbench.play import WINDOW
from ganbench.runner import run
from ganbench.store import Outcome, RunFolder
from ganbench_plugins.schedules.k_step import KStep

CPU = torch.device("cpu")


class NonSaturating:
    version: ClassVar[int] = 1

    def discriminator_loss(self, real, fake):
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, fake, real):
        return softplus(-fake).mean()


class Failing(nn.Module):
    """`nonsat` until the call of this number, counted from 1; then `what` happens."""

    version: ClassVar[int] = 1

    def __init__(self, what: str = "nan", discriminator: int = 0, generator: int = 0) -> None:
        super().__init__()
        self.what, self.at = what, {"discriminator": discriminator, "generator": generator}
        self.calls = {"discriminator": 0, "generator": 0}

    def discriminator_loss(self, real, fake):
        loss = NonSaturating().discriminator_loss(real, fake)
        return self._fail("discriminator", loss)

    def generator_loss(self, fake, real):
        return self._fail("generator", NonSaturating().generator_loss(fake, real))

    def _fail(self, player: str, loss: torch.Tensor) -> Any:
        self.calls[player] += 1
        return ENDS[self.what](loss) if self.calls[player] == self.at[player] else loss


def raising(error: BaseException) -> Callable[[torch.Tensor], Any]:
    def end(_: torch.Tensor) -> Any:
        raise error

    return end


class Leaving(BaseException):
    """No Exception, as SystemExit is none."""


ENDS: dict[str, Callable[[torch.Tensor], Any]] = {
    "nan": lambda loss: loss * math.nan,
    "inf": lambda loss: loss * math.inf,
    "nan-gradient": lambda loss: loss + (loss - loss).sqrt(),
    "vector": lambda loss: loss.expand(4),
    "float": lambda loss: loss.item(),
    "integer": lambda loss: loss.long(),
    "error": raising(ValueError("boom")),
    "long": raising(ValueError(f"{'x' * 2**20}\nand more")),
    "exit": raising(SystemExit(1)),
    "leaving": raising(Leaving("now")),
    "memory": raising(MemoryError("no room")),
    "gpu-memory": raising(torch.OutOfMemoryError("CUDA out of memory")),
    "cpu-memory": lambda loss: loss + torch.empty(10**15).sum(),
    "ctrl-c": raising(KeyboardInterrupt()),
}


class Recording(NonSaturating):
    """Keeps the logits and the losses that it made of them."""

    real: ClassVar[list[torch.Tensor]]
    fake: ClassVar[list[torch.Tensor]]
    losses: ClassVar[list[float]]

    def discriminator_loss(self, real, fake):
        Recording.real.append(real.detach().clone())
        Recording.fake.append(fake.detach().clone())
        loss = super().discriminator_loss(real, fake)
        Recording.losses.append(loss.item())
        return loss


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.plan({})
    return folder


@pytest.fixture
def play(planned, folder):
    """Plan and run; return the outcome as it was written."""

    def played(*offers: Any, **parts: Any) -> Any:
        experiment, data = planned(*offers, **parts)
        outcome = run(experiment, data, CPU, folder)
        written = folder.outcome()
        assert written["outcome"] == outcome
        return written

    return played


FAILING = (LOSS, "failing", Failing)


def events(folder: RunFolder, kind: str) -> list[dict[str, Any]]:
    return [event for event in folder.events() if event["event"] == kind]


def test_a_completed_run_says_what_it_spent(play, folder):
    outcome = play(schedule="k-step:k=2", budget="10gsteps")
    assert outcome["outcome"] == "completed"
    spent = ("generator_steps", "discriminator_steps", "images", "flops")
    assert [outcome[name] for name in spent] == [10, 20, 20 * 4, 0.0]
    assert 0 < outcome["seconds"] < outcome["wall_seconds"]
    assert 0 < outcome["evaluation_seconds"] < outcome["wall_seconds"]
    assert "error" not in outcome


def test_what_happens_is_written_in_order(play, folder):
    play(budget="10gsteps", evaluations=2, metrics="fd-points")
    kinds = [event["event"] for event in folder.events()]
    assert kinds == ["started", "evaluated", *["progress", "evaluated"] * 2]
    (started,) = events(folder, "started")
    assert started["columns"] == [
        {"name": "fd[n=50,all:500,exact-reference]", "direction": "lower"}
    ]
    assert [event["share"] for event in events(folder, "progress")] == [0.5, 1.0]
    for name in ("generator_steps", "images", "seconds"):
        clock = [event[name] for event in folder.events()[1:]]
        assert clock == sorted(clock)
    for event in events(folder, "evaluated"):
        assert list(event["metrics"]) == ["fd[n=50,all:500,exact-reference]"]
        assert 0 < event["noise"]["fd[n=50,all:500,exact-reference]"] < 1
        assert event["alike"] is False
    assert [p.name for p in folder.pictures()] == ["00000000.png", "00000005.png", "00000010.png"]


# D's round by hand, as in test_timing: 8 * 104 and 8 * 88 operations.
ROUND = 8 * (104 + 88)


@pytest.mark.parametrize(
    ("budget", "k", "batch_size", "rounds"),
    [
        ("10gsteps", 1, 4, 10),
        ("10gsteps", 3, 4, 10),
        ("0.5gsteps", 1, 4, 1),
        ("7dsteps", 1, 4, 7),
        ("7dsteps", 2, 4, 4),
        ("0.1kimg", 1, 16, 7),
        ("0.1kimg", 1, 20, 5),
        ("0.1kimg", 2, 16, 4),
        (f"{ROUND}flop", 1, 4, 1),
        (f"{ROUND + 1}flop", 1, 4, 2),
        (f"{2.5 * ROUND}flop", 1, 4, 3),
    ],
)
def test_a_budget_ends_with_the_first_round_that_reaches_it(play, budget, k, batch_size, rounds):
    outcome = play(schedule=f"k-step:k={k}", budget=budget, batch_size=batch_size, evaluations=1)
    assert outcome["generator_steps"] == rounds
    assert outcome["discriminator_steps"] == rounds * k
    assert outcome["images"] == rounds * k * batch_size
    if budget.endswith("flop"):
        assert outcome["flops"] == rounds * ROUND


def test_a_budget_of_time_ends_with_the_first_round_that_reaches_it(play, folder, monkeypatch):
    """With a clock of our own, a quarter of a second at each look, evaluations not counted."""
    now = iter(range(10_000))
    monkeypatch.setattr(playing.time, "perf_counter", lambda: next(now) / 4)
    outcome = play(budget="2s", evaluations=1)
    # A look in each round, and one more when the window is read: 8 looks are 2 s.
    assert outcome["generator_steps"] == 8
    assert outcome["seconds"] == 2.25
    assert [event["seconds"] for event in events(folder, "evaluated")] == [0.0, 2.25]


@pytest.mark.parametrize(
    ("evaluations", "budget", "steps"),
    [
        (1, "7gsteps", [0, 7]),
        (2, "10gsteps", [0, 5, 10]),
        (3, "10gsteps", [0, 4, 7, 10]),
        (5, "20gsteps", [0, 4, 8, 12, 16, 20]),
        # 1/49 * 49 is below 1 in floating point.
        (49, "98gsteps", list(range(0, 99, 2))),
        # More than there are rounds: after each of them.
        (10, "3gsteps", [0, 1, 2, 3]),
    ],
)
def test_evaluations_come_at_even_shares_of_the_budget(play, folder, evaluations, budget, steps):
    play(evaluations=evaluations, budget=budget)
    assert [event["generator_steps"] for event in events(folder, "evaluated")] == steps


@pytest.mark.parametrize(
    ("spec", "k", "step", "quantity"),
    [
        ("discriminator=1", 1, 1, "discriminator_loss"),
        ("discriminator=7", 1, 7, "discriminator_loss"),
        ("discriminator=7", 2, 4, "discriminator_loss"),
        ("discriminator=8", 2, 4, "discriminator_loss"),
        (f"discriminator={WINDOW}", 1, WINDOW, "discriminator_loss"),
        (f"discriminator={WINDOW + 13}", 1, WINDOW + 13, "discriminator_loss"),
        ("generator=7", 1, 7, "generator_loss"),
        (f"generator={WINDOW + 13}", 2, WINDOW + 13, "generator_loss"),
        ("generator=7:what=inf", 1, 7, "generator_loss"),
    ],
)
def test_a_loss_that_is_no_number_is_divergence_at_its_step(play, folder, spec, k, step, quantity):
    outcome = play(
        f"failing:{spec}",
        FAILING,
        schedule=f"k-step:k={k}",
        budget=f"{WINDOW + 30}gsteps",
        evaluations=1,
    )
    assert outcome["outcome"] == "diverged"
    assert (outcome["step"], outcome["quantity"]) == (step, quantity)
    assert outcome["error"] == f"{quantity} is not finite at generator step {step}"
    assert len(events(folder, "evaluated")) == 1
    # What came before the window is kept.
    assert len(events(folder, "progress")) == (step - 1) // WINDOW


def test_a_generator_that_makes_no_numbers_is_divergence(play, folder):
    """Its loss is finite and its gradient is not: the weights are lost in the same step."""
    outcome = play("failing:generator=2:what=nan-gradient", FAILING, evaluations=10)
    assert outcome["outcome"] == "diverged"
    assert (outcome["step"], outcome["quantity"]) == (2, "generated samples")
    assert [event["generator_steps"] for event in events(folder, "evaluated")] == [0, 1]


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("error", "ValueError: boom"),
        ("long", "ValueError: " + "x" * 288),
        ("exit", "SystemExit: 1"),
        ("leaving", "Leaving: now"),
        ("vector", "ContractBroken: Failing has to return a scalar tensor; it returned [4]"),
        ("float", "ContractBroken: Failing has to return a scalar tensor; it returned float"),
        (
            "integer",
            "ContractBroken: Failing has to return a scalar tensor; it returned [] of int64",
        ),
    ],
)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_what_a_plugin_does_wrong_is_an_outcome_with_its_name(play, what, error, player):
    outcome = play(f"failing:{player}=3:what={what}", FAILING)
    assert outcome["outcome"] == "plugin_error"
    assert outcome["plugin"] == "toys (toy-package 1.0)"
    assert outcome["error"] == error
    assert outcome["traceback"].startswith("Traceback")
    assert outcome["generator_steps"] == 2


def test_any_component_is_blamed_for_its_own_exception(play):
    class Stopping:
        version = 1

        def discriminator_steps(self, generator_step):
            return 1 // (3 - generator_step)

    outcome = play(
        "nonsat", FAILING, (SCHEDULE, "stopping", Stopping), schedule="stopping", budget="9gsteps"
    )
    assert outcome["outcome"] == "plugin_error"
    assert outcome["plugin"] == "toys (toy-package 1.0)"
    assert outcome["error"].startswith("ZeroDivisionError")


class Scores:
    version: ClassVar[int] = 1
    directions: ClassVar[dict[str, str]] = {"score": "higher"}
    settings: ClassVar[tuple[str, ...]] = ()
    answer: ClassVar[dict[str, float]]

    def check(self, reference): ...
    def start(self, reference, device): ...
    def update(self, samples): ...
    def result(self):
        return Scores.answer


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_none_and_no_divergence(play, folder, monkeypatch, score):
    monkeypatch.setattr(Scores, "answer", {"score": score}, raising=False)
    outcome = play("nonsat", (METRIC, "scores", Scores), metrics="scores")
    assert outcome["outcome"] == "completed"
    assert [e["metrics"] for e in events(folder, "evaluated")] == [
        {"score[n=50,all:500]": None}
    ] * 3


@pytest.mark.parametrize("answer", [{"sco": 1.0}, {}, {"score": 1.0, "more": 2.0}])
def test_a_metric_whose_result_has_other_names_is_blamed(play, monkeypatch, answer):
    monkeypatch.setattr(Scores, "answer", answer, raising=False)
    outcome = play("nonsat", (METRIC, "scores", Scores), metrics="scores")
    assert outcome["outcome"] == "plugin_error"
    assert outcome["plugin"] == "toys (toy-package 1.0)"


class Drawing(Scores):
    """A metric that draws from torch's global generator whenever it is asked for anything."""

    answer: ClassVar[dict[str, float]] = {"score": 1.0}

    def check(self, reference):
        torch.rand(3)

    def start(self, reference, device):
        torch.rand(5)

    def result(self):
        torch.rand(7)
        return self.answer


class Dropping(NonSaturating):
    """Notes what networks with dropout would draw."""

    drawn: ClassVar[list[float]]

    def discriminator_loss(self, real, fake):
        self.drawn.append(float(torch.rand(())))
        return super().discriminator_loss(real, fake)


def test_what_metrics_draw_does_not_change_the_training(play, monkeypatch):
    monkeypatch.setattr(Scores, "answer", {"score": 1.0}, raising=False)
    drawn = []
    for metric in (Scores, Drawing):
        monkeypatch.setattr(Dropping, "drawn", [], raising=False)
        play("dropping", (LOSS, "dropping", Dropping), (METRIC, "scores", metric), metrics="scores")
        drawn.append(Dropping.drawn)
    assert len(drawn[0]) == 10
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("what", ["memory", "gpu-memory", "cpu-memory"])
def test_no_memory_is_an_outcome_and_no_plugins_fault(play, what):
    outcome = play(f"failing:discriminator=3:what={what}", FAILING)
    assert outcome["outcome"] == "out_of_memory"
    assert outcome["generator_steps"] == 2
    assert outcome["error"]
    assert "plugin" not in outcome


def test_an_error_of_our_own_is_nobodys_fault(play, monkeypatch):
    monkeypatch.setattr(playing, "picture", None)
    outcome = play()
    assert outcome["outcome"] == "crashed"
    assert outcome["error"] == "TypeError: 'NoneType' object is not callable"
    assert "picture" in outcome["traceback"]
    assert "plugin" not in outcome


def test_a_metric_that_measures_otherwise_than_planned_is_refused(planned, folder):
    @dataclass
    class Shifting(Scores):
        settings = ("then",)

    experiment, data = planned("nonsat", (METRIC, "shifting", Shifting), metrics="shifting")
    Shifting.settings = ("now",)
    assert run(experiment, data, CPU, folder) == Outcome.CRASHED
    assert "planned with ('then',), and not ('now',)" in folder.outcome()["error"]


def test_a_ctrl_c_leaves_no_outcome(play, folder):
    with pytest.raises(KeyboardInterrupt):
        play("failing:discriminator=3:what=ctrl-c", FAILING)
    assert folder.outcome() is None


def test_v_and_the_losses_are_those_of_the_logits(play, folder, monkeypatch):
    """V = mean log D(x) + mean log(1 - D(G(z))), D = 1 / (1 + exp(-logit)), in float64."""
    for name in ("real", "fake", "losses"):
        monkeypatch.setattr(Recording, name, [], raising=False)
    play("recording", (LOSS, "recording", Recording), schedule="k-step:k=2", budget="6gsteps")
    first, second = events(folder, "progress")
    for event, steps in ((first, slice(0, 6)), (second, slice(6, 12))):
        real, fake = (
            torch.cat(logits[steps]).double().numpy() for logits in (Recording.real, Recording.fake)
        )
        value = np.log(1 / (1 + np.exp(-real))).mean() + np.log(1 - 1 / (1 + np.exp(-fake))).mean()
        assert event["value"] == pytest.approx(value, rel=1e-5)
        loss = np.mean(Recording.losses[steps])
        assert event["discriminator_loss"] == pytest.approx(loss, rel=1e-5)
        # This loss is -V itself.
        assert event["discriminator_loss"] == pytest.approx(-event["value"], rel=1e-5)
    assert len(Recording.losses) == 12


def test_a_window_is_the_mean_since_the_one_before(play, folder):
    play(budget=f"{2 * WINDOW + 20}gsteps", evaluations=1)
    steps = [event["generator_steps"] for event in events(folder, "progress")]
    assert steps == [WINDOW, 2 * WINDOW, 2 * WINDOW + 20]


def test_a_run_is_reproducible_to_the_bit(planned, tmp_path):
    scores = []
    for name in ("one", "two"):
        experiment, data = planned(budget="30gsteps")
        folder = RunFolder(tmp_path / name)
        folder.plan({})
        assert run(experiment, data, CPU, folder) == Outcome.COMPLETED
        scores.append([e["metrics"] for e in events(folder, "evaluated")])
        torch.rand(3)
    assert scores[0] == scores[1]


@pytest.mark.parametrize("stalls_after", [0, 3])
def test_a_schedule_that_stops_spending_the_budget_ends_the_run(play, monkeypatch, stalls_after):
    monkeypatch.setattr("ganbench.play._ROUNDS_FOR_NOTHING", 20)

    class Stalling(KStep):
        def accepts(self, real, fake):
            self.asked.append(len(self.asked))
            return len(self.asked) <= stalls_after

        asked: ClassVar[list[int]] = []

    outcome = play(
        "nonsat", (SCHEDULE, "stalling", Stalling), schedule="stalling", budget="10dsteps"
    )
    assert outcome["outcome"] == Outcome.PLUGIN_ERROR
    assert "Stalling spent nothing of 10dsteps in 20 rounds" in outcome["error"]
    assert outcome["discriminator_steps"] == stalls_after
    assert outcome["generator_steps"] == stalls_after + 20
    assert outcome["images"] == (stalls_after + 20) * 4


def test_a_loss_of_embeddings_has_no_value_of_the_game(play, folder):
    assert play("mmd", budget="10gsteps")["outcome"] == Outcome.COMPLETED
    (progress, *_) = events(folder, "progress")
    assert "value" not in progress
    assert math.isfinite(progress["discriminator_loss"])


def test_what_is_evaluated_is_the_moving_average(play, folder, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "ganbench.play.Play._evaluate", lambda self, game, _: seen.append(game.sampler)
    )
    play("nonsat", ema_half_life_kimg="1.0")
    assert not any(p.requires_grad for p in seen[0].parameters())


def test_learning_rates_reach_zero_at_the_end_of_the_budget(play, monkeypatch):
    scales = []
    monkeypatch.setattr("ganbench.training.Game.scale_lr", lambda self, s: scales.append(s))
    play("nonsat", budget="4gsteps", lr_decay="linear")
    assert scales == [0.75, 0.5, 0.25, 0.0]
