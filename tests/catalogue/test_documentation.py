"""Every bundled component says what it is, which formula, and where from."""

import inspect
import re

import pytest

from ganbench.catalogue import ARCHITECTURE, KINDS, LOSS, PENALTY, PROTOCOL, SCHEDULE
from ganbench.choices import fields_of
from ganbench.plugins import discover

EVERYTHING = [
    pytest.param(component, id=f"{kind.name} {component.name}")
    for kind in KINDS
    for component in discover().of_kind(kind)
]
FROM_THE_LITERATURE = (LOSS, PENALTY, ARCHITECTURE, SCHEDULE, PROTOCOL)


@pytest.mark.parametrize("component", EVERYTHING)
def test_it_is_documented(component):
    assert component.docstring == inspect.getdoc(component.cls)
    assert 15 <= len(component.summary) < 110
    assert component.summary[-1] in ".:"
    if component.kind in FROM_THE_LITERATURE:
        assert re.search(r"References:\n(.|\n)*\d{4}(.|\n)*https://", component.docstring)


@pytest.mark.parametrize("component", EVERYTHING)
def test_every_field_is_explained(component):
    if component.kind is PROTOCOL:
        return  # theirs are the base class's
    for name in fields_of(component.cls):
        assert re.search(rf"^ +(\w+, )*{name}(, \w+)*:", component.docstring, re.MULTILINE), name
