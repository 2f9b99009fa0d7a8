"""Every bundled component says what it is, which formula, and where from."""

import inspect
import re
from pathlib import Path

import pytest

from ganbench.catalogue import (
    ARCHITECTURE,
    EXTRACTOR,
    KINDS,
    LOSS,
    METRIC,
    PENALTY,
    PROTOCOL,
    SCHEDULE,
)
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


def test_the_readme_names_what_there_is_and_nothing_else():
    text = (Path(__file__).parents[2] / "README.md").read_text()
    section = text.partition("## What there is")[2].partition("\n## ")[0]
    catalogue = discover()
    rows = dict(re.findall(r"^\| `?(\+|\w+)`? \| (.*) \|$", section, re.MULTILINE))
    kinds = {"losses": LOSS, "+": PENALTY, "schedules": SCHEDULE, "architectures": ARCHITECTURE}
    kinds |= {"protocols": PROTOCOL, "metrics": METRIC, "extractors": EXTRACTOR}
    for row, kind in kinds.items():
        named = {name for name in re.findall(r"`([^`]+)`", rows[row]) if not name.startswith("-")}
        known = {component.name for component in catalogue.of_kind(kind)}
        short = {name for name in known if re.fullmatch("sngan-cnn-[b-f]", name)}
        assert named == known - short
    recipes = {recipe.name for recipe in catalogue.recipes}
    assert {*re.findall(r"`([^`]+)`", rows["recipes"])} <= recipes
