import pytest

from ganbench.catalogue import SCHEDULE
from ganbench.choices import choose
from ganbench.errors import BadInput
from ganbench.specs import parse_one
from ganbench_plugins.schedules.g_step import GStep


def test_d_moves_once_before_every_g_moves_of_g():
    assert [GStep(g=3).discriminator_steps(step) for step in range(7)] == [1, 0, 0, 1, 0, 0, 1]


def test_two_by_default():
    assert [GStep().discriminator_steps(step) for step in range(4)] == [1, 0, 1, 0]


def test_g_of_one_is_the_original_algorithm():
    assert [GStep(g=1).discriminator_steps(step) for step in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("g", ["0", "10001", "1.5"])
def test_a_bad_g_is_refused(bundled, g):
    with pytest.raises(BadInput, match="field 'g' can't be"):
        choose(bundled, SCHEDULE, parse_one(f"g-step:g={g}"))
