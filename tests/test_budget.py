import pytest

from ganbench.budget import Budget, Clock
from ganbench.errors import BadInput

CLOCK = Clock(generator_steps=50, discriminator_steps=250, images=16_000, flops=3e9, seconds=4.5)
RATES = {
    "images_per_second": 4000.0,
    "generator_steps_per_second": 25.0,
    "discriminator_steps_per_second": 125.0,
    "flops_per_second": 2e9,
}


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("200kimg", 200.0, "kimg"),
        ("0.5kimg", 0.5, "kimg"),
        ("2000gsteps", 2000.0, "gsteps"),
        ("5000dsteps", 5000.0, "dsteps"),
        ("3e15flop", 3e15, "flop"),
        ("3E+15flop", 3e15, "flop"),
        ("60s", 60.0, "s"),
    ],
)
def test_every_unit_is_read(text, amount, unit):
    assert Budget.parse(text) == Budget(amount, unit)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it needs a number above 0 and a unit"),
        ("80", "it needs a number above 0 and a unit"),
        ("kimg", "it needs a number above 0 and a unit"),
        ("0kimg", "it needs a number above 0 and a unit"),
        ("0.0s", "it needs a number above 0 and a unit"),
        ("-5s", "it needs a number above 0 and a unit"),
        ("nans", "it needs a number above 0 and a unit"),
        ("80 kimg", "it needs a number above 0 and a unit"),
        ("80epochs", "no unit is called 'epochs'"),
        ("80img", "no unit is called 'img'"),
    ],
)
def test_a_bad_budget_is_refused_with_the_units(text, why):
    with pytest.raises(BadInput) as refused:
        Budget.parse(text)
    first, *rest = str(refused.value).splitlines()
    assert first == f"budget '{text}': {why}, as in 200kimg."
    assert [line.split()[0] for line in rest[1:]] == ["kimg", "gsteps", "dsteps", "flop", "s"]


def test_a_budget_that_overflows_is_refused_for_it_would_never_end():
    with pytest.raises(BadInput, match="budget '1e400kimg'"):
        Budget.parse("1e400kimg")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("64kimg", 0.25),
        ("100gsteps", 0.5),
        ("1000dsteps", 0.25),
        ("6e9flop", 0.5),
        ("3s", 1.5),
    ],
)
def test_the_share_spent_is_read_off_its_own_clock(text, share):
    assert Budget.parse(text).share_spent(CLOCK) == share
    assert Budget.parse(text).share_spent(Clock()) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("80kimg", 20.0), ("100gsteps", 4.0), ("1000dsteps", 8.0), ("3e15flop", 1.5e6), ("60s", 60.0)],
)
def test_seconds_at_the_measured_rates(text, seconds):
    assert Budget.parse(text).seconds_at(RATES) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["80kimg", "0.5kimg", "60s", "3e+15flop"])
def test_a_budget_is_written_as_it_is_read(text):
    assert str(Budget.parse(text)) == text
