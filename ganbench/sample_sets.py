"""Sets of samples as users name them: a data set by its spec, or what lies on disk."""

import warnings
from collections.abc import Iterator
from contextlib import suppress

from ganbench.catalogue import DATASET, Catalogue, Component, code_of
from ganbench.choices import Choice, choose
from ganbench.errors import BadInput, PluginBroken
from ganbench.folders import expanded
from ganbench.specs import Spec, parse_one


def chosen_set(text: str, catalogue: Catalogue, channels: int) -> Choice:
    """What is meant: a data set by its spec, or else what lies on disk.

    Args:
        channels: of images on disk.

    Raises:
        BadInput: there is neither.
    """
    try:
        exists = expanded(text).exists()
    except OSError as error:
        raise BadInput(f"{text} can't be read: {error}") from error
    try:
        dataset = choose(catalogue, DATASET, parse_one(text))
    except BadInput:
        if exists:
            return _read_from(text, catalogue, channels)
        if "/" in text.partition(":")[0]:
            raise BadInput(f"there is no folder or zip of images at {text}") from None
        raise
    if exists:
        warnings.warn(
            f"'{text}' is the data set of that name, and not what lies here: that is ./{text}",
            stacklevel=2,
        )
    return dataset


def how_to_read(catalogue: Catalogue, channels: int) -> str:
    """What a user may do about samples of unequal shapes."""
    hints = [
        f"\n  Fields of a data set, such as {_reading(reader, 'FOLDER', channels)}, may make them"
        f" alike: see `ganbench show {reader.name}`."
        for reader in _readers(catalogue)
    ]
    if hints:
        hints.append(
            "\n  What they do to images changes the scores, whose names don't say so: prefer images"
            " as they were made."
        )
    return "".join(hints)


def _read_from(path: str, catalogue: Catalogue, channels: int) -> Choice:
    """The data set that reads what lies there, whatever it is."""
    for component in _readers(catalogue):
        return choose(catalogue, DATASET, _reading(component, path, channels))
    raise BadInput(f"no data set reads {path}: see `ganbench list datasets`")


def _readers(catalogue: Catalogue) -> Iterator[Component]:
    """The data sets that read what lies at any path."""
    for component in catalogue.of_kind(DATASET):
        with suppress(PluginBroken):  # nobody asked for that one
            if hasattr(component.cls, "fields_for"):
                yield component


def _reading(reader: Component, path: str, channels: int) -> Spec:
    with code_of(reader):
        return Spec(reader.name, tuple(reader.cls.fields_for(path, channels).items()))
