"""Find plugins, and isolate them from each other.

pluggy stops at the first plugin that can't be imported, drops a second one of the same name in
silence, and ignores a misspelt hook. So discovery is a loop of our own: each plugin is blocked
before its import if the user says so, has a manager of its own, and fails alone.
"""

import importlib.metadata as metadata
import importlib.util
import json
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ganbench import hookspecs
from ganbench.catalogue import ALL, KINDS, Catalogue, Component, Origin, Plugin, Recipe
from ganbench.errors import BadInput, in_a_line, unknown
from ganbench.printable import printable

GROUP = "ganbench"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def discover(blocked: Iterable[str] = (), files: Sequence[str | Path] = ()) -> Catalogue:
    """Load every installed plugin, and the `files`, each on its own.

    Args:
        blocked: entry points' names to leave out, before they are imported.
        files: Python files with hook implementations.
    """
    shut = set(blocked)
    entry_points = sorted(
        metadata.entry_points(group=GROUP),
        key=lambda e: (e.name, e.dist.name if e.dist else ""),
    )
    if absent := shut - {e.name for e in entry_points}:
        raise unknown("plugin", min(absent), {e.name for e in entry_points})
    found = [_from_entry_point(e, blocked=e.name in shut) for e in entry_points]
    distinct = {Path(file).resolve(): Path(file) for file in files}
    return Catalogue((*found, *map(_from_file, distinct.values())))


def _from_entry_point(entry_point: metadata.EntryPoint, blocked: bool) -> Plugin:
    distribution = entry_point.dist
    origin = Origin(
        entry_point.name,
        distribution.name if distribution else "unknown",
        distribution.version if distribution else "unknown",
        mutable=bool(distribution and _is_mutable(distribution)),
    )
    return Plugin(origin, blocked=True) if blocked else _isolated(origin, entry_point.load)


def _is_mutable(distribution: metadata.Distribution) -> bool:
    """Whether it is an editable install, or a checkout's egg-info that lies on the path."""
    if distribution.read_text("PKG-INFO") is not None:
        return True
    try:
        url = json.loads(distribution.read_text("direct_url.json") or "{}")
        return bool(url.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return False


def _from_file(path: Path) -> Plugin:
    try:
        digest = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(f"plugin file '{path}' can't be read: {error.strerror}") from error
    name = f"ganbench_plugin_file_{re.sub(r'[^0-9a-zA-Z_]', '_', path.stem)}_{digest[:12]}"

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"'{path}' is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return _isolated(Origin(str(path), "file", digest[:12], mutable=True), load)


def _isolated(origin: Origin, load: Any) -> Plugin:
    """Load one plugin in a manager of its own; whatever it does wrong is noted as its own."""
    plugin = Plugin(origin)
    try:
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(load(), name=origin.plugin)
        manager.check_pending()
        components = tuple(_components(manager, origin))
        return replace(plugin, components=components, recipes=tuple(_recipes(manager, origin)))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # such as SystemExit
        line = printable(in_a_line(error))
        return replace(plugin, error=line, traceback=traceback.format_exc())


def _components(manager: pluggy.PluginManager, origin: Origin) -> Iterator[Component]:
    for kind in KINDS:
        for name, target in _offers(manager, kind.hook):
            if not isinstance(target, (str, type)):
                raise TypeError(f"{kind.hook}: '{name}' has to be a class or its path")
            yield Component(kind, name, target, origin)


def _recipes(manager: pluggy.PluginManager, origin: Origin) -> Iterator[Recipe]:
    for name, spec in _offers(manager, "ganbench_recipes"):
        if not isinstance(spec, str):
            raise TypeError(f"ganbench_recipes: '{name}' has to be a spec, as text")
        yield Recipe(name, spec, origin)


def _offers(manager: pluggy.PluginManager, hook: str) -> Iterator[tuple[str, Any]]:
    # Not by calling the hook: pluggy drops a None, which is a `return` that was forgotten.
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        offer = implementation.function()
        if not isinstance(offer, dict):
            raise TypeError(f"{hook} has to return a dict, not {type(offer).__name__}")
        for name, content in offer.items():
            if not (isinstance(name, str) and _NAME.fullmatch(name)) or name == ALL:
                raise ValueError(f"{hook}: {name!r} is no name ({_NAME.pattern}, and not '{ALL}')")
            yield name, content
