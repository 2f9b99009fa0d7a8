"""Data sets and extractors, fetched where they are not there, and seen to work."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch

from ganbench.catalogue import DATASET, EXTRACTOR, Catalogue, code_of
from ganbench.choices import Choice, choose
from ganbench.data import Data
from ganbench.errors import GanbenchError, Unsupported
from ganbench.planning import load
from ganbench.scores import checked_extractor
from ganbench.specs import Spec, parse_one

_CPU = torch.device("cpu")


def prepare(catalogue: Catalogue, name: str, folder: Path) -> str:
    """Fetch a data set, or what an extractor needs; return a line that says what is ready.

    Raises:
        GanbenchError: there is no such thing, or it can't be fetched, read or used.
    """
    spec = parse_one(name)
    if spec.name not in {component.name for component in catalogue.of_kind(EXTRACTOR)}:
        dataset = choose(catalogue, DATASET, spec)
        data = load(dataset, folder, download=True)
        shape = " x ".join(map(str, data.shape))
        return f"{dataset.short} is ready: {len(data):,} samples of {shape} ({data.split})"
    extractor = choose(catalogue, EXTRACTOR, spec)
    with code_of(extractor.component):
        fetch = getattr(extractor.create(), "prepare", None)
        if fetch is not None:
            fetch()
    try:
        settings = try_out(catalogue, extractor, folder)
    except Unsupported as error:
        return f"{extractor.short} could not be tried, for want of data that it takes: {error}"
    return f"{extractor.short} is ready: numbers on it are named [{','.join(settings)}]"


def try_out(catalogue: Catalogue, extractor: Choice, folder: Path) -> tuple[str, ...]:
    """See that an extractor works on something that it takes; return its settings.

    Raises:
        Unsupported: it takes nothing that there is to try it on; the message is the first refusal.
        GanbenchError: it lacks its weights, or what a field names can't be used.
    """
    refusals = []
    for data in _trials(catalogue, extractor, folder):
        try:
            found = checked_extractor(extractor, data)
        except Unsupported as error:
            refusals.append(error)
            continue
        with code_of(extractor.component):
            found.load(_CPU)
            return tuple(found.settings)
    raise refusals[0]


def _trials(catalogue: Catalogue, extractor: Choice, folder: Path) -> Iterator[Data]:
    """Colours, greys and points of no meaning; and the data sets that are there and name it."""
    draws = torch.Generator().manual_seed(0)
    for channels in (3, 1):
        pixels = torch.randint(256, (2, channels, 32, 32), generator=draws, dtype=torch.uint8)
        yield Data(pixels, "all")
    yield Data(torch.randn(2, 2, generator=draws), "all")
    for component in catalogue.of_kind(DATASET):
        with suppress(GanbenchError):
            named = getattr(component.cls, "extractor", "")
            if named and parse_one(named).name == extractor.component.name:
                yield load(choose(catalogue, DATASET, Spec(component.name)), folder)
