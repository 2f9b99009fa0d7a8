"""Whose fault an exception is: read off the stack, as far as that can be read."""

import sys
import traceback
from collections.abc import Sequence
from inspect import getsourcefile
from os.path import commonpath
from pathlib import Path

import torch

from ganbench.catalogue import Component, Origin
from ganbench.choices import Choice
from ganbench.errors import ContractBroken

_AUTOGRAD = Path(torch.autograd.__file__)
_TRACEBACK = 20_000  # characters of each end that are kept


def blamed(error: BaseException, choices: Sequence[Choice]) -> Origin | None:
    """The plugin at fault; None where it is no plugin's, as far as can be told.

    It is the one whose code is innermost on the stack, whatever that called. The bundled parts
    are the last to be suspected: a network of theirs fails on what a penalty shows to it. What
    autograd refuses when it goes back through a graph has no code on the stack any more; then it
    is the one plugin that takes part, if there is just one that is not bundled.
    """
    components = [choice.component for choice in choices]
    if isinstance(error, ContractBroken):
        found = [c.origin for c in components if c.cls is error.part]
        source = _source(error.part)
        return found[0] if found else _owner(source, components) if source else None
    frames = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    owners = [owner for frame in reversed(frames) if (owner := _owner(frame, components))]
    strangers = [owner for owner in owners if not owner.is_bundled]
    if owners or _AUTOGRAD not in frames:
        return next(iter([*strangers, *owners]), None)
    taking_part = {c.origin for c in components if not c.origin.is_bundled}
    return taking_part.pop() if len(taking_part) == 1 else None


def traceback_of(error: BaseException) -> str:
    """As Python prints it; of one that goes on for ever, both ends."""
    text = "".join(traceback.format_exception(error))
    if len(text) <= 2 * _TRACEBACK:
        return text
    return f"{text[:_TRACEBACK]}\n...\n{text[-_TRACEBACK:]}"


def _owner(file: Path, components: Sequence[Component]) -> Origin | None:
    """Whose code a file is: the component's that is in it, or the nearest one's in its package."""
    sources = [(source, c) for c in components if (source := _source(c.cls))]
    for source, component in sources:
        if source == file:
            return component.origin
    near = [
        (len(commonpath([source, file])), component.origin)
        for source, component in sources
        if any(folder in file.parents for folder in _package(component.cls))
    ]
    return max(near, key=lambda pair: pair[0])[1] if near else None


def _source(cls: type) -> Path | None:
    try:
        return Path(getsourcefile(cls) or "")
    except TypeError:  # its module has no file
        return None


def _package(cls: type) -> list[Path]:
    """The folders of the package that it is in; none for a module by itself."""
    package = sys.modules.get(cls.__module__.partition(".")[0])
    if getattr(package, "__file__", None) is None:  # a namespace may be many people's
        return []
    return [Path(folder) for folder in getattr(package, "__path__", [])]
