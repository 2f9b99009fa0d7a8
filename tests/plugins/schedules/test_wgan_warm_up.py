import pytest

from ganbench.catalogue import SCHEDULE
from ganbench.choices import choose
from ganbench.errors import BadInput
from ganbench.specs import parse_one
from ganbench_plugins.schedules.wgan_warm_up import WGANWarmUp


@pytest.mark.parametrize(
    ("step", "moves"),
    [(0, 100), (24, 100), (25, 5), (499, 5), (500, 100), (501, 5), (1000, 100), (1250, 5)],
)
def test_the_defaults_are_the_authors(step, moves):
    assert WGANWarmUp().discriminator_steps(step) == moves


def test_every_field_counts():
    schedule = WGANWarmUp(k=2, warm_up=7, warm_up_steps=3, every=5)
    moves = [schedule.discriminator_steps(step) for step in range(12)]
    assert moves == [7, 7, 7, 2, 2, 7, 2, 2, 2, 2, 7, 2]


def test_step_0_is_singled_out_without_a_warm_up_too():
    schedule = WGANWarmUp(warm_up_steps=0)
    assert [schedule.discriminator_steps(step) for step in range(3)] == [100, 5, 5]


@pytest.mark.parametrize("field", ["k=0", "warm_up=0", "warm_up_steps=-1", "every=0"])
def test_a_bad_value_is_refused(bundled, field):
    with pytest.raises(BadInput, match=f"field '{field.partition('=')[0]}' can't be"):
        choose(bundled, SCHEDULE, parse_one(f"wgan-warm-up:{field}"))
