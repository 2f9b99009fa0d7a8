"""What the plugins offer, and who brought it: components by kind and name.

Nothing here imports torch: a component's class is loaded when it is used.
"""

import ast
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from ganbench.errors import BadInput, GanbenchError, PluginBroken, in_a_line, unknown
from ganbench.printable import printable


@dataclass(frozen=True)
class Kind:
    """One catalogue: what its members are called, and the hook that fills it."""

    name: str
    plural: str

    @property
    def hook(self) -> str:
        return f"ganbench_{self.plural.replace(' ', '')}"


LOSS = Kind("loss", "losses")
PENALTY = Kind("penalty", "penalties")
ARCHITECTURE = Kind("architecture", "architectures")
SCHEDULE = Kind("schedule", "schedules")
DATASET = Kind("data set", "data sets")
METRIC = Kind("metric", "metrics")
EXTRACTOR = Kind("extractor", "extractors")
PROTOCOL = Kind("protocol", "protocols")
KINDS = (LOSS, PENALTY, ARCHITECTURE, SCHEDULE, DATASET, METRIC, EXTRACTOR, PROTOCOL)
ALL = "all"  # in place of a loss: every loss and every recipe


@dataclass(frozen=True)
class Origin:
    """Who brought a component.

    Args:
        plugin: the entry point's name, or the path of a plugin file.
        distribution: the package that was installed, or "file".
        version: its version, or the first digits of the file's sha256.
        mutable: its code can change without its version changing (a file, an editable install).
    """

    plugin: str
    distribution: str
    version: str
    mutable: bool = False

    def __str__(self) -> str:
        return printable(f"{self.plugin} ({self.distribution} {self.version})")

    @property
    def is_bundled(self) -> bool:
        """Whether it comes with ganbench."""
        return self.distribution == "ganbench"


@dataclass(frozen=True)
class Component:
    """A class that a plugin offers under a name; not yet imported if it was given as text."""

    kind: Kind
    name: str
    target: str | type
    origin: Origin

    @cached_property
    def cls(self) -> type[Any]:
        """The class itself; PluginBroken, naming the plugin, if it can't be had."""
        if isinstance(self.target, type):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except (Exception, SystemExit) as error:
            raise PluginBroken(
                f"{self.kind.name} '{self.name}' of plugin {self.origin} can't be loaded from"
                f" '{self.target}': {in_a_line(error)}",
                str(self.origin),
            ) from error
        if not isinstance(found, type):
            raise PluginBroken(
                f"{self.kind.name} '{self.name}' of plugin {self.origin}: '{self.target}' is no"
                " class",
                str(self.origin),
            )
        return found

    @cached_property
    def docstring(self) -> str:
        """The class's docstring, read from the source file so that nothing is imported."""
        if isinstance(self.target, type):
            written = vars(self.target).get("__doc__") or ""
            by_dataclass = written.startswith(f"{self.target.__name__}(")
            return "" if by_dataclass else inspect.cleandoc(written)
        module, _, attribute = self.target.partition(":")
        try:
            spec = importlib.util.find_spec(module)
            source = Path(str(spec and spec.origin)).read_text(encoding="utf-8")
            classes = [n for n in ast.parse(source).body if isinstance(n, ast.ClassDef)]
        except (Exception, SystemExit):
            return ""
        return next((ast.get_docstring(c) or "" for c in classes if c.name == attribute), "")

    @property
    def recommended(self) -> Mapping[str, str]:
        """The settings that it declares for `--rules recommended`; PluginBroken if they are none.

        Fields of a protocol, and `schedule`, as text.
        """
        declared = getattr(self.cls, "recommended", {})
        sound = isinstance(declared, Mapping)
        if not sound or not all(isinstance(t, str) for pair in declared.items() for t in pair):
            raise PluginBroken(
                f"{self.kind.name} '{self.name}' of plugin {self.origin}: `recommended` has to map"
                " text to text",
                str(self.origin),
            )
        return declared

    @property
    def summary(self) -> str:
        return self.docstring.strip().partition("\n")[0]

    @property
    def reference(self) -> str:
        """The first address in its docstring, if there is one."""
        found = re.search(r"https?://[^\s,;)]+", self.docstring)
        return found[0].rstrip(".") if found else ""

    @cached_property
    def source_digest(self) -> str | None:
        """The sha256 of its package's source files, where the version alone would not tell."""
        if not self.origin.mutable:
            return None
        package = sys.modules[self.cls.__module__.partition(".")[0]]
        roots = [Path(root) for root in getattr(package, "__path__", [])]
        files = sorted(file for root in roots for file in root.rglob("*.py"))
        files = files or [Path(str(package.__file__))]
        return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@dataclass(frozen=True)
class Recipe:
    """A name for an objective that is made of several parts, such as `wasserstein+gp`."""

    name: str
    spec: str
    origin: Origin


@dataclass(frozen=True)
class Plugin:
    """One plugin as it was found: `error` is one line and empty if it works."""

    origin: Origin
    components: tuple[Component, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    blocked: bool = False
    error: str = ""
    traceback: str = field(default="", repr=False)

    @property
    def status(self) -> str:
        if self.blocked:
            return "blocked"
        return "broken" if self.error else "ok"


@dataclass(frozen=True)
class Catalogue:
    """Everything that the plugins offer."""

    plugins: tuple[Plugin, ...]

    @property
    def broken(self) -> list[Plugin]:
        return [plugin for plugin in self.plugins if plugin.error]

    def of_kind(self, kind: Kind) -> list[Component]:
        """All components of a kind by name; several of one name where plugins clash."""
        found = [c for p in self.plugins for c in p.components if c.kind is kind]
        return sorted(found, key=lambda component: component.name)

    def find(self, kind: Kind, name: str) -> Component:
        """The one component of that name; BadInput if there is none, or more than one."""
        everything = self.of_kind(kind)
        found = [component for component in everything if component.name == name]
        _only_one(kind.name, name, found)
        if not found:
            known = self.objectives if kind is LOSS else [c.name for c in everything]
            raise unknown(kind.name, name, set(known), self._hint(kind))
        return found[0]

    @property
    def recipes(self) -> list[Recipe]:
        """All recipes by name; several of one name where plugins clash."""
        found = [recipe for plugin in self.plugins for recipe in plugin.recipes]
        return sorted(found, key=lambda recipe: recipe.name)

    def recipe(self, name: str) -> Recipe | None:
        """The recipe of that name, if there is one; BadInput if it is not the only such thing."""
        found = [recipe for recipe in self.recipes if recipe.name == name]
        if found:
            losses = [loss for loss in self.of_kind(LOSS) if loss.name == name]
            _only_one("loss or recipe", name, [*losses, *found])
        return found[0] if found else None

    @property
    def objectives(self) -> list[str]:
        """The names that can stand where a loss is asked for."""
        names = {c.name for c in self.of_kind(LOSS)} | {recipe.name for recipe in self.recipes}
        return sorted(names)

    def _hint(self, kind: Kind) -> str:
        word = kind.plural.replace(" ", "")
        hint = f"See them with `ganbench list {word}`; add your own as the README's"
        hint += ' "Write a plugin" shows.'
        for plugin in self.broken:
            hint += f"\n  It may be in plugin {plugin.origin}, which is broken: {plugin.error}"
        return hint


def _only_one(what: str, name: str, found: Sequence[Component | Recipe]) -> None:
    if len(found) > 1:
        owners = " and ".join(str(each.origin) for each in found)
        raise BadInput(
            f"{what} '{name}' is offered by {owners}.\n  Leave one out with `-p no:PLUGIN`."
        )


@contextmanager
def code_of(component: Component) -> Iterator[None]:
    """Within, the plugin's code runs: what it raises is named as its, not ours.

    Raises:
        PluginBroken: it raised anything but a message for the user.
    """
    try:
        yield
    except GanbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginBroken(
            f"{component.kind.name} '{component.name}' of plugin {component.origin} failed:"
            f" {in_a_line(error)}",
            str(component.origin),
        ) from error
