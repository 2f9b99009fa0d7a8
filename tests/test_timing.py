import math

import pytest
import torch

from ganbench import timing
from ganbench.assembly import assemble
from ganbench.budget import Budget
from ganbench.timing import Flops, count_flops, measure, peak_flops
from ganbench.training import DiscriminatorMove, Round

CPU = torch.device("cpu")


@pytest.fixture
def quick_timing(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 0.05)
    monkeypatch.setattr(timing, "_WINDOWS", 3)
    monkeypatch.setattr(timing, "_WINDOW_SECONDS", 0.03)
    monkeypatch.setitem(timing._PEAK_SIZE, "cpu", 512)


def test_flops_by_hand(planned):
    """mlp of width 8 and depth 1 on numbers: G is 2-8-1, D is 1-8-1, and a batch is 4.

    A product of [4, i] and [i, o] is 2 * 4 * i * o operations; w counts the i * o.
    A D step: G forward (16 + 8), no graph; for each of two batches D forward (8 + 8), the
    weights' gradients (8 + 8), and the gradient of the hidden layer (8), none of the input:
    24 + 2 * 40 = 104.
    A G step: G forward 24; D forward 16; the gradients of D's hidden layer and input (8 + 8) and
    none of its weights, which are frozen; G's weights 24 and hidden layer 8: 88.
    A D step that its schedule declines: the forward passes alone, 24 + 2 * 16 = 56.
    """
    experiment, data = planned()
    game = assemble(experiment, data, CPU)
    assert count_flops(game) == (2 * 4 * 104, 2 * 4 * 56, 2 * 4 * 88)


def test_a_gradient_penaltys_double_backward_is_counted(planned):
    """The penalty alone: a third batch through D forwards, back to its input, and back again.

    Forward 16; slopes: hidden layer 8, input 8. Backward of the slopes, from a gradient at
    dD/dx: through the input's product, its other factor (dD/dh, 8) and W1 (8); through the
    hidden layer's product, its W2 (8) alone, as its other factor is constant. Through the
    forward pass nothing returns: ReLU's second derivative is 0, and torch knows it and returns
    zeros, which it does multiply: at most 16 + 8 more.
    """
    plain, data = planned()
    penalised, _ = planned("nonsat+gp")
    without, _, g_without = count_flops(assemble(plain, data, CPU))
    with_it, _, g_with = count_flops(assemble(penalised, data, CPU))
    added = (with_it - without) / (2 * 4)
    assert 16 + 16 + 24 <= added <= 16 + 16 + 24 + 24
    assert g_with == g_without


def test_flops_are_those_of_the_batch(planned):
    (small, data), (large, _) = planned(batch_size=4), planned(batch_size=12)
    assert count_flops(assemble(large, data, CPU)) == tuple(
        3 * flops for flops in count_flops(assemble(small, data, CPU))
    )


def test_what_is_measured_is_positive_and_fits_together(planned, quick_timing):
    experiment, data = planned(schedule="k-step:k=3")
    rates = measure(experiment, data, CPU)
    assert set(rates) == {
        "images_per_second", "generator_steps_per_second", "discriminator_steps_per_second",
        "flops_per_second", "peak_flops_per_second", "peak_share", "peak_memory_bytes", "spread",
    }  # fmt: skip
    assert all(math.isfinite(rate) for rate in rates.values())
    assert all(rate > 0 for name, rate in rates.items() if name != "spread")
    assert rates["spread"] >= 0
    g_steps = rates["generator_steps_per_second"]
    assert rates["discriminator_steps_per_second"] == pytest.approx(3 * g_steps)
    assert rates["images_per_second"] == pytest.approx(4 * 3 * g_steps)
    assert rates["flops_per_second"] == pytest.approx(8 * (3 * 104 + 88) * g_steps)
    share = rates["flops_per_second"] / rates["peak_flops_per_second"]
    assert rates["peak_share"] == pytest.approx(share)
    assert 0 < rates["peak_share"] < 1.5
    assert rates["peak_memory_bytes"] > 2**20


def test_every_budget_lasts_some_time_at_what_is_measured(planned, quick_timing):
    experiment, data = planned()
    rates = measure(experiment, data, CPU)
    for text in ("1kimg", "100gsteps", "100dsteps", "1e6flop", "3s"):
        assert 0 < Budget.parse(text).seconds_at(rates) < math.inf


def test_measuring_leaves_the_global_generator_reproducible(planned, quick_timing):
    """A cell is timed on a game of its own: the game of the run starts as if it had not been."""
    experiment, data = planned()
    before = [p.clone() for p in assemble(experiment, data, CPU).generator.network.parameters()]
    measure(experiment, data, CPU)
    after = list(assemble(experiment, data, CPU).generator.network.parameters())
    assert all(torch.equal(b, a) for b, a in zip(before, after, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_peak_is_a_rate(quick_timing, dtype):
    assert 1e6 < peak_flops(CPU, dtype) < 1e16


def test_a_lazy_penalty_counts_as_often_as_it_is_applied(planned):
    """Every fourth step has it: a quarter of what it adds where every step has it."""
    plain, always, lazy = (
        count_flops(assemble(*planned(loss), CPU))[0]
        for loss in ("nonsat", "nonsat+r1", "nonsat+r1:every=4")
    )
    assert always > plain
    assert lazy - plain == pytest.approx((always - plain) / 4, rel=1e-9)


def test_a_schedule_is_timed_after_the_phase_that_it_begins_with(planned, quick_timing):
    """100 of D's steps before each of the first 25 rounds, then 5."""
    experiment, data = planned(schedule="wgan-warm-up")
    rates = measure(experiment, data, CPU)
    per_round = rates["discriminator_steps_per_second"] / rates["generator_steps_per_second"]
    assert per_round == pytest.approx(5)


def test_a_rounds_flops_are_those_of_the_steps_that_were_made():
    flops = Flops(discriminator=10.0, declined=3.0, generator=5.0)
    moves = [DiscriminatorMove(None, None, None, moved) for moved in (True, False, True)]
    assert flops.of(Round(tuple(moves), None)) == 2 * 10 + 3 + 5


def test_rates_of_an_uneven_schedule_are_means_over_all_that_was_timed():
    """Six windows of 10 rounds with one move each, and one with 100 more, 10 times as long."""
    even, long = timing._Window(1.0, 10, 10, 0.0), timing._Window(10.0, 110, 110, 0.0)
    rates = timing.rates_of([*[even] * 6, long], per_window=10, batch_size=4)
    assert rates["generator_steps_per_second"] == pytest.approx(70 / 16)
    assert rates["images_per_second"] == pytest.approx(4 * 170 / 16)


def test_one_slow_window_of_an_even_schedule_is_no_matter():
    windows = [timing._Window(s, 10, 10, 20.0) for s in (1.0, 1.0, 1.0, 1.1, 0.9, 1.0, 5.0)]
    rates = timing.rates_of(windows, per_window=10, batch_size=4)
    assert rates["generator_steps_per_second"] == 10
    assert rates["flops_per_second"] == 20
