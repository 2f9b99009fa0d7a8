from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import pytest
import torch
from annotated_types import Ge, Gt, Le
from torch import nn

from ganbench.catalogue import LOSS, Catalogue, Component, Origin, Plugin
from ganbench.choices import Choice, choose, fields_of, settle
from ganbench.errors import BadInput, PluginBroken
from ganbench.specs import parse_one


@dataclass(frozen=True)
class Toy:
    version: ClassVar[int] = 3

    weight: Annotated[float, Ge(0)] = 1.0
    steps: Annotated[int, Ge(1), Le(8)] = 2
    order: Literal[1, 2] = 1
    fast: bool = False
    form: Literal["linear", "log"] = "linear"
    name: str = ""


@dataclass(frozen=True)
class Folder:
    version: ClassVar[int] = 1

    path: Annotated[str, "location"]
    size: int = 8


@dataclass(frozen=True)
class Careful:
    version: ClassVar[int] = 1

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("low has to be below high")


@dataclass(frozen=True)
class WholeDefault:
    """As authors write it: an int where the field is a float."""

    version: ClassVar[int] = 1

    weight: float = 10


class Module(nn.Module):
    version: ClassVar[int] = 1

    def __init__(self, decay: Annotated[float, Gt(0)] = 0.9, *, start: int = 0) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("average", torch.full((), float(start)))


class NoFields:
    version: ClassVar[int] = 1


class NoVersion:
    pass


@pytest.fixture
def catalogue(toys) -> Catalogue:
    return toys(
        (LOSS, "toy", Toy),
        (LOSS, "folder", Folder),
        (LOSS, "careful", Careful),
        (LOSS, "whole", WholeDefault),
        (LOSS, "module", Module),
        (LOSS, "none", NoFields),
        (LOSS, "unversioned", NoVersion),
    )


@pytest.fixture
def chosen(catalogue):
    def choice(text: str) -> Choice:
        return choose(catalogue, LOSS, parse_one(text))

    return choice


def test_given_values_get_their_types_and_the_rest_their_defaults(chosen):
    values = dict(chosen("toy:weight=2:order=2:fast=true:form=log").values)
    expected = {
        "weight": 2.0, "steps": 2, "order": 2, "fast": True, "form": "log", "name": "",
    }  # fmt: skip
    assert values == expected
    assert {n: type(v) for n, v in values.items()} == {n: type(v) for n, v in expected.items()}


def test_what_is_created_has_the_values_and_is_new_each_time(chosen):
    choice = chosen("toy:steps=8")
    assert choice.create() == Toy(steps=8)
    assert choice.create() is not choice.create()


def test_a_module_takes_its_constructors_arguments(chosen):
    choice = chosen("module:decay=0.5:start=3")
    module = choice.create()
    assert isinstance(module, nn.Module)
    assert (module.decay, float(module.average)) == (0.5, 3.0)
    assert choice.text == "module:decay=0.5:start=3"
    with pytest.raises(
        BadInput, match="field 'decay' can't be '0': Input should be greater than 0"
    ):
        chosen("module:decay=0")


def test_a_class_without_a_constructor_has_no_fields(chosen):
    assert chosen("none").text == "none"
    with pytest.raises(BadInput, match=r"no field of loss 'none' is called 'x'\.\n  Known: none"):
        chosen("none:x=1")


def test_text_has_every_field_sorted_and_short_only_what_differs(chosen):
    choice = chosen("toy:steps=3:fast=true:weight=1")
    assert choice.text == 'toy:fast=true:form=linear:name="":order=1:steps=3:weight=1.0'
    assert choice.short == "toy:fast=true:steps=3"
    assert chosen("toy").short == "toy"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("toy:steps=3:order=2", "toy:order=2:steps=3"),
        ("toy", "toy:weight=1:steps=2:order=1"),
        ("toy:weight=0.5", "toy:weight=5e-1"),
        ("toy:fast=true", "toy:fast=1"),
        ("whole", "whole:weight=10"),
        ("whole:weight=10", "whole:weight=10.0"),
    ],
)
def test_the_same_values_are_the_same_choice_however_written(chosen, one, other):
    assert chosen(one).text == chosen(other).text
    assert chosen(one).key_parts() == chosen(other).key_parts()


@pytest.mark.parametrize("text", ["toy", 'toy:name="a,b:c"', "module", "whole", "folder:path=x"])
def test_the_canonical_text_chooses_the_same_again(chosen, text):
    assert chosen(chosen(text).text).text == chosen(text).text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("toy:weight=-1", "field 'weight' can't be '-1': Input should be greater than or equal to"),
        ("toy:weight=x", "field 'weight' can't be 'x': Input should be a valid number"),
        ("toy:weight=nan", "field 'weight' can't be 'nan': Input should be a finite number"),
        ("toy:weight=inf", "field 'weight' can't be 'inf': Input should be a finite number"),
        ("toy:weight=1e999", "field 'weight' can't be '1e999': Input should be a finite number"),
        ("toy:steps=9", "field 'steps' can't be '9': Input should be less than or equal to 8"),
        ("toy:steps=0", "field 'steps' can't be '0': Input should be greater than or equal to 1"),
        ("toy:steps=1.5", "field 'steps' can't be '1.5': Input should be a valid integer"),
        ("toy:order=3", "field 'order' can't be '3': Input should be 1 or 2"),
        ("toy:fast=maybe", "field 'fast' can't be 'maybe': Input should be a valid boolean"),
        ("toy:form=cubic", "field 'form' can't be 'cubic': Input should be 'linear' or 'log'"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason_and_the_fields(chosen, text, message):
    with pytest.raises(BadInput) as refused:
        chosen(text)
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"loss 'toy': {message}")
    assert second == (
        "  Its fields: weight: float >= 0 = 1.0; steps: int >= 1 <= 8 = 2; order: 1|2 = 1;"
        " fast: bool = false; form: linear|log = linear; name: str = "
    )


def test_an_unknown_field_is_refused_with_the_nearest(chosen):
    with pytest.raises(BadInput) as refused:
        chosen("toy:wieght=1")
    assert str(refused.value) == (
        "no field of loss 'toy' is called 'wieght'. Did you mean 'weight'?\n"
        "  Known: fast, form, name, order, steps, weight"
    )


def test_a_required_field_has_to_be_given(chosen):
    with pytest.raises(BadInput) as refused:
        chosen("folder:size=3")
    assert str(refused.value) == (
        "loss 'folder': field 'path' is missing\n  Its fields: path: str (required); size: int = 8"
    )


def test_what_the_class_itself_refuses_is_said_in_its_words(chosen):
    with pytest.raises(BadInput) as refused:
        chosen("careful:low=2")
    assert str(refused.value) == (
        "loss 'careful': low has to be below high\n"
        "  Its fields: low: float = 0.0; high: float = 1.0"
    )


def test_a_class_without_a_version_is_its_plugins_fault(chosen):
    with pytest.raises(PluginBroken, match=r"toys \(toy-package 1.0\) has no `version`"):
        chosen("unversioned")


def test_a_location_is_in_the_recipe_and_not_in_the_key(chosen):
    here, there = chosen("folder:path=/here"), chosen("folder:path=/there")
    assert here.recipe()["fields"] == {"path": "/here", "size": "8"}
    assert here.key_parts()["fields"] == {"size": "8"}
    assert here.key_parts() == there.key_parts()
    assert here.key_parts() != chosen("folder:path=/here:size=9").key_parts()


def test_fields_come_in_the_constructors_order():
    assert list(fields_of(Toy)) == ["weight", "steps", "order", "fast", "form", "name"]
    assert [f.is_location for f in fields_of(Folder).values()] == [True, False]
    assert [f.required for f in fields_of(Folder).values()] == [True, False]


def test_the_recipe_and_the_key_in_full(chosen):
    choice = chosen("whole:weight=2")
    key = {
        "name": "whole",
        "fields": {"weight": "2.0"},
        "version": 1,
        "distribution": "toy-package",
        "source": None,
    }
    assert choice.key_parts() == key
    assert choice.recipe() == {
        **key,
        "text": "whole:weight=2.0",
        "short": "whole:weight=2.0",
    }


def test_code_that_can_change_in_place_is_told_apart_by_its_packages_sources(tmp_path, monkeypatch):
    """Also by that of a helper which the class's own file imports."""
    (tmp_path / "a_package").mkdir()
    for name, text in {
        "__init__": "",
        "helper": "SIGN = 1.0",
        "loss": "from a_package.helper import SIGN\nclass Loss:\n    version = 1",
    }.items():
        (tmp_path / "a_package" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))

    def source(mutable: bool) -> str | None:
        origin = Origin("toys", "toy-package", "1.0", mutable=mutable)
        component = Component(LOSS, "toy", "a_package.loss:Loss", origin)
        catalogue = Catalogue((Plugin(origin, (component,)),))
        return choose(catalogue, LOSS, parse_one("toy")).key_parts()["source"]

    before = source(mutable=True)
    assert source(mutable=True) == before
    assert source(mutable=False) is None
    (tmp_path / "a_package" / "helper.py").write_text("SIGN = -1.0")
    assert source(mutable=True) not in (None, before)


@pytest.mark.parametrize(
    ("hint", "default"),
    [(str | None, None), (float | None, None), (tuple[float, float], (0.5, 0.9)), (Any, 10)],
)
def test_a_field_that_the_recipe_can_not_hold_is_refused(hint, default):
    """Else the worker would train with the text "None", silently."""

    class Odd:
        def __init__(self, mode: hint = default) -> None: ...

    with pytest.raises(PluginBroken, match=r"field 'mode.* can't be written as text"):
        settle(Odd, "loss 'odd'", {})


def test_a_location_is_absolute_whatever_the_folder(tmp_path, monkeypatch):
    class Files:
        def __init__(
            self, path: Annotated[str, "location"], weights: Annotated[str, "location"] = ""
        ) -> None: ...

    monkeypatch.chdir(tmp_path)
    values = settle(Files, "data set 'files'", {"path": "faces"})
    assert values == {"path": str(tmp_path / "faces"), "weights": ""}
