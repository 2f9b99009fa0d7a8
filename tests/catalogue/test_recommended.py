"""What a loss or a penalty recommends is what a protocol and the catalogue know."""

import pytest

from ganbench.catalogue import LOSS, PENALTY, PROTOCOL, SCHEDULE
from ganbench.choices import choose
from ganbench.plugins import discover
from ganbench.specs import Spec, parse_one

BUNDLED = discover()
WITH_SETTINGS = [
    pytest.param(component.cls.recommended, id=component.name)
    for kind in (LOSS, PENALTY)
    for component in BUNDLED.of_kind(kind)
    if hasattr(component.cls, "recommended")
]


def test_some_recommend():
    assert len(WITH_SETTINGS) >= 10


@pytest.mark.parametrize("recommended", WITH_SETTINGS)
def test_it_can_be_followed(recommended):
    fields = {name: value for name, value in recommended.items() if name != "schedule"}
    choose(BUNDLED, PROTOCOL, Spec("quick", tuple(fields.items())))
    choose(BUNDLED, SCHEDULE, parse_one(recommended["schedule"]))
