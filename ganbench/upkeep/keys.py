"""A run's key from its recipe alone, without the plugins that made it."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import combinations
from typing import Any

_PARTS = ("loss", "architecture", "schedule", "dataset", "protocol")
_KEPT = ("name", "fields", "version", "distribution", "source", "fingerprint", "settings")
_LOCATIONS = 3


def is_sound(recipe: Mapping[str, Any]) -> bool:
    """Whether the recipe is the one that its keys were made of.

    Fields that say where content lies are no part of a key, and which they are the plugin knows:
    so a few are left out by trial. No other recipe has the same key for that.
    """
    expected = (recipe["key"], recipe["cell"])
    return any(expected == keys for keys in _keys(recipe))


def _keys(recipe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The key and the cell's key, for each choice of fields that say where content lies."""
    names = sorted(_field_names(recipe))
    for count in range(_LOCATIONS + 1):
        for locations in combinations(names, count):
            cell = _cell(recipe, frozenset(locations))
            yield _digest({**cell, "seed": recipe["seed"]}), _digest(cell)


def _field_names(recipe: Mapping[str, Any]) -> set[str]:
    parts = [*(recipe[name] for name in _PARTS), *recipe["penalties"], *recipe["metrics"]]
    parts += [metric["extractor"] for metric in recipe["metrics"] if metric["extractor"]]
    return {name for part in parts for name in part["fields"]}


def _cell(recipe: Mapping[str, Any], locations: frozenset[str]) -> dict[str, Any]:
    """As `Experiment.cell_key` is made of."""

    def part(content: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: content[name] for name in _KEPT if name in content}
        kept["fields"] = {n: v for n, v in content["fields"].items() if n not in locations}
        if "extractor" in content:
            extractor = content["extractor"]
            kept["extractor"] = None if extractor is None else part(extractor)
        return kept

    return {
        **{name: recipe[name] for name in ("harness", "machine")},
        **{name: part(recipe[name]) for name in _PARTS},
        **{name: [part(each) for each in recipe[name]] for name in ("penalties", "metrics")},
    }


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
