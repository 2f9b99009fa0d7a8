"""A component with every field settled: what was asked for, checked, and written in full."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ganbench.catalogue import Catalogue, Component, Kind, code_of
from ganbench.errors import BadInput, PluginBroken, unknown
from ganbench.folders import expanded
from ganbench.specs import Spec, spec_text

# In a field's `Annotated[str, LOCATION]`: it says where content lies, which has a digest of its
# own, so that moving a folder does not make a run another run.
LOCATION = "location"


@dataclass(frozen=True)
class Field:
    """A hyper-parameter: a typed argument of a component's constructor."""

    name: str
    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def is_location(self) -> bool:
        return LOCATION in getattr(self.hint, "__metadata__", ())

    def __str__(self) -> str:
        default = "(required)" if self.required else f"= {as_text(self.default)}"
        return f"{self.name}: {_hint_text(self.hint)} {default}"


def fields_of(cls: type) -> dict[str, Field]:
    """The hyper-parameters of a component's class, in the order of its constructor."""
    parameters = inspect.signature(cls, eval_str=True).parameters.values()
    return {
        p.name: Field(p.name, Any if p.annotation is p.empty else p.annotation, p.default)
        for p in parameters
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }


@dataclass(frozen=True)
class Choice:
    """A component and the value of each of its fields."""

    component: Component
    values: Mapping[str, Any]

    def declares(self, fact: str) -> bool:
        """Whether its class says so of itself; see `components.py` for what there is to say."""
        return bool(getattr(self.component.cls, fact, False))

    def create(self) -> Any:
        """A new instance of the component."""
        return self.component.cls(**self.values)

    @property
    def text(self) -> str:
        """The canonical spec: all fields, sorted, defaults written out."""
        return self._spec(sorted(self.values))

    @property
    def short(self) -> str:
        """The spec with only the fields that differ from their defaults."""
        fields = fields_of(self.component.cls)
        return self._spec(n for n in sorted(self.values) if self.values[n] != fields[n].default)

    def _spec(self, names: Iterable[str]) -> str:
        return spec_text(self.component.name, {n: as_text(self.values[n]) for n in names})

    def recipe(self) -> dict[str, Any]:
        """What it is, as JSON: enough to choose it again, and to tell it from any other."""
        origin = self.component.origin
        return {
            "name": self.component.name,
            "fields": {name: as_text(self.values[name]) for name in sorted(self.values)},
            "text": self.text,
            "short": self.short,
            "version": self.component.cls.version,
            "distribution": origin.distribution,
            "source": self.component.source_digest,
        }

    def key_parts(self) -> dict[str, Any]:
        """The part of the recipe that makes two runs the same run, or not."""
        fields = fields_of(self.component.cls)
        recipe = self.recipe()
        recipe["fields"] = {n: v for n, v in recipe["fields"].items() if not fields[n].is_location}
        names = ("name", "fields", "version", "distribution", "source")
        return {name: recipe[name] for name in names}


def choose(catalogue: Catalogue, kind: Kind, spec: Spec) -> Choice:
    """Look a component up and settle its fields.

    Raises:
        BadInput: there is no such component or field, or a value is of the wrong type or range.
        PluginBroken: the component's own code can't be loaded.
    """
    component = catalogue.find(kind, spec.name)
    if not isinstance(getattr(component.cls, "version", None), int):
        raise PluginBroken(
            f"{kind.name} '{spec.name}' of plugin {component.origin} has no `version`: add"
            " `version: ClassVar[int] = 1` to its class",
            str(component.origin),
        )
    what = f"{kind.name} '{spec.name}'"
    with code_of(component):
        return Choice(component, settle(component.cls, what, dict(spec.fields)))


def settle(cls: type, what: str, given: Mapping[str, str]) -> Mapping[str, Any]:
    """The value of each field of `cls`: given as text, or its default.

    Raises:
        BadInput: an unknown field, or a value that the class does not take.
    """
    fields = fields_of(cls)
    for name in given:
        if name not in fields:
            raise unknown(f"field of {what}", name, fields)
    listed = "; ".join(map(str, fields.values())) or "none"
    values = {}
    for name, field in fields.items():
        if name not in given and field.required:
            raise BadInput(f"{what}: field '{name}' is missing\n  Its fields: {listed}")
        try:
            values[name] = _validated(field, given.get(name))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            if name not in given:
                raise PluginBroken(f"{what}: the default of '{field}': {reason}") from None
            refusal = f"{what}: field '{name}' can't be '{given[name]}': {reason}"
            raise BadInput(f"{refusal}\n  Its fields: {listed}") from None
        if not _survives_as_text(field, values[name]):
            raise PluginBroken(
                f"{what}: field '{field}' can't be written as text and read again; use str, int,"
                " float, bool or a Literal of them"
            )
    try:
        cls(**values)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{what}: {error}\n  Its fields: {listed}") from error
    return MappingProxyType(values)


def _validated(field: Field, text: str | None) -> Any:
    """The value that `text` stands for; without it the default, in the field's own type."""
    adapter = TypeAdapter(
        field.hint, config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
    )
    given = field.default if text is None else _literal(field.hint, text)
    value = adapter.validate_python(given)
    if field.is_location and value:
        return type(value)(expanded(value).absolute())
    return value


def _survives_as_text(field: Field, value: Any) -> bool:
    """Whether the recipe, which holds text, will give the worker the same value."""
    try:
        again = _validated(field, as_text(value))
    except ValidationError:
        return False
    return type(again) is type(value) and bool(again == value)


def as_text(value: Any) -> str:
    """A field's value as the spec grammar writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _literal(hint: Any, text: str) -> Any:
    """Text for a `Literal` of numbers is looked up; pydantic would take only the number itself."""
    if get_origin(_bare(hint)) is Literal:
        return next((v for v in get_args(_bare(hint)) if as_text(v) == text), text)
    return text


def _hint_text(hint: Any) -> str:
    bare = _bare(hint)
    if get_origin(bare) is Literal:
        return "|".join(as_text(value) for value in get_args(bare))
    bounds = [m for m in getattr(hint, "__metadata__", ()) if m != LOCATION]
    name = getattr(bare, "__name__", str(bare))
    return " ".join(filter(None, [name, *(_bound_text(bound) for bound in bounds)]))


def _bound_text(bound: Any) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return " ".join(f"{signs[n]} {getattr(bound, n)}" for n in signs if hasattr(bound, n))
