import pytest
import torch

from ganbench.catalogue import SCHEDULE
from ganbench.choices import choose
from ganbench.errors import BadInput, Unsupported
from ganbench.specs import parse_one
from ganbench_plugins.schedules.adaptive import Adaptive


def logits(*values: float) -> torch.Tensor:
    return torch.tensor(values)


@pytest.mark.parametrize(
    ("real", "fake", "moves"),
    [
        # 10 of 10, 9 of 10, 8 of 10, 0 of 10 right; the bound is 8 of 10, which still moves.
        ([1, 1, 1, 1, 1], [-1, -1, -1, -1, -1], False),
        ([1, 1, 1, 1, -1], [-1, -1, -1, -1, -1], False),
        ([1, 1, 1, 1, -1], [-1, -1, -1, -1, 1], True),
        ([-1, -1, -1, -1, -1], [1, 1, 1, 1, 1], True),
        # The share counts, not the size: 9 of 10 right by a hair.
        ([1e-6, 1e-6, 1e-6, 1e-6, -9e4], [-1e-6, -1e-6, -1e-6, -1e-6, -1e-6], False),
        # Real ones alone would be 5 of 5.
        ([1, 1, 1, 1, 1], [1, 1, 1, 1, 1], True),
        # 0 is a sample that D does not know: 8 of 10 right.
        ([1, 1, 1, 1, 0], [-1, -1, -1, -1, 0], True),
    ],
)
def test_d_waits_while_it_is_right_too_often(real, fake, moves):
    assert Adaptive().accepts(logits(*real), logits(*fake)) is moves


def test_batches_of_two_sizes_count_sample_by_sample():
    """5 of 6 right, though the two batches' accuracies have the mean 3/4."""
    real, fake = logits(1, 1, 1, 1), logits(-1, 1)
    assert not Adaptive(bound=0.8).accepts(real, fake)
    assert Adaptive(bound=0.84).accepts(real, fake)


def test_a_bound_that_is_met_exactly_moves_in_spite_of_rounding():
    """29 of 100 right; 0.29 * 100 is less than 29 in floating point."""
    real, fake = logits(*[1] * 29, *[-1] * 21), logits(*[1] * 50)
    assert Adaptive(bound=0.29).accepts(real, fake)


def test_the_bound_counts():
    real, fake = logits(1, -1), logits(-1, -1)  # 3 of 4 right
    accepted = [Adaptive(bound=bound).accepts(real, fake) for bound in (0.0, 0.74, 0.75, 1.0)]
    assert accepted == [False, False, True, True]


def test_a_bound_of_1_never_waits_and_nan_is_wrong():
    assert Adaptive(bound=1.0).accepts(logits(1e4), logits(-1e4))
    assert Adaptive(bound=0.0).accepts(logits(float("nan")), logits(float("nan")))


def test_k_steps_are_offered():
    assert [Adaptive().discriminator_steps(step) for step in range(3)] == [1, 1, 1]
    assert [Adaptive(k=4).discriminator_steps(step) for step in range(2)] == [4, 4]


@pytest.mark.parametrize("field", ["bound=1.1", "bound=-0.1", "k=0"])
def test_a_bad_value_is_refused(bundled, field):
    with pytest.raises(BadInput, match=f"field '{field.partition('=')[0]}' can't be"):
        choose(bundled, SCHEDULE, parse_one(f"adaptive:{field}"))


def test_losses_without_logits_are_refused(planned):
    with pytest.raises(Unsupported, match="judges D by its logits"):
        planned("mmd", schedule="adaptive")
