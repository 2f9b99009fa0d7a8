"""Exceptions as real packages raise them: written to a folder, imported, called."""

import importlib
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ganbench.blame import blamed, traceback_of
from ganbench.catalogue import LOSS, Component, Origin
from ganbench.errors import ContractBroken

SOURCES = {
    "theirs/__init__.py": "",
    "theirs/losses.py": (
        "import torch\n"
        "from theirs.deep.helpers import shout, wrong, Refusing\n"
        "class Loss:\n"
        "    def raises(self): raise ValueError('mine')\n"
        "    def in_torch(self): return torch.ones(2) @ torch.ones(3)\n"
        "    def in_helper(self): return shout()\n"
        "    def through(self, call): return call()\n"
        "    def backward(self): return Refusing.apply(torch.ones((), requires_grad=True))\n"
        "    def spoilt(self):\n"
        "        made = torch.ones((), requires_grad=True).exp()\n"
        "        return made.add_(1)\n"
    ),
    "theirs/deep/__init__.py": "",
    "theirs/deep/helpers.py": (
        "import torch\n"
        "def shout(): raise KeyError('helper')\n"
        "wrong = lambda: 1 / 0\n"
        "class Refusing(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x): return x.clone()\n"
        "    @staticmethod\n"
        "    def backward(ctx, grad): return shout()\n"
    ),
    "ours/__init__.py": "class Net:\n    def forward(self): raise RuntimeError('shapes')\n",
    "others.py": "class Other:\n    def raises(self): raise ValueError('other')\n",
}
THEIRS, OTHERS = Origin("theirs", "their-losses", "0.3"), Origin("others", "others", "2")
OURS = Origin("bundled-networks", "ganbench", "1")


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Iterator[SimpleNamespace]:
    site = tmp_path_factory.mktemp("site")
    for name, text in SOURCES.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    sys.path.insert(0, str(site))
    names = ("theirs", "theirs.losses", "theirs.deep.helpers", "ours", "others")
    _, losses, helpers, ours, others = map(importlib.import_module, names)
    yield SimpleNamespace(
        Loss=losses.Loss, Net=ours.Net, Other=others.Other, wrong=helpers.wrong, helpers=helpers
    )
    sys.path.remove(str(site))
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]


@pytest.fixture
def blame(classes) -> Callable[..., Origin | None]:
    """Whom a call's exception is blamed on, where these components take part."""
    known = {classes.Loss: THEIRS, classes.Net: OURS, classes.Other: OTHERS}

    def found(call: Callable[[], Any], *taking_part: type) -> Origin | None:
        components = [Component(LOSS, "x", cls, known[cls]) for cls in taking_part]
        with pytest.raises(BaseException) as raised:  # noqa: PT011, whatever it is
            call()
        choices = [SimpleNamespace(component=component) for component in components]
        return blamed(raised.value, choices)

    return found


@pytest.mark.parametrize("act", ["raises", "in_torch", "in_helper"])
def test_it_is_the_plugins_whose_code_is_innermost(classes, blame, act):
    call = getattr(classes.Loss(), act)
    assert blame(call, classes.Net, classes.Loss, classes.Other) == THEIRS
    assert blame(call, classes.Net, classes.Other) is None


def test_what_a_function_of_its_own_raises_going_back_is_its(classes, blame):
    made = classes.Loss().backward()
    assert blame(made.backward, classes.Other, classes.Loss) == THEIRS


def test_a_bundled_network_is_not_to_blame_for_what_it_is_shown(classes, blame):
    loss, net = classes.Loss(), classes.Net()
    assert blame(lambda: loss.through(net.forward), classes.Net, classes.Loss) == THEIRS
    assert blame(net.forward, classes.Net, classes.Loss) == OURS


def test_of_two_strangers_it_is_the_inner_one(classes, blame):
    loss, other = classes.Loss(), classes.Other()
    assert blame(lambda: loss.through(other.raises), classes.Loss, classes.Other) == OTHERS


def test_an_error_with_none_of_their_code_on_the_stack_is_nobodys(classes, blame):
    assert blame(lambda: {}["missing"], classes.Net, classes.Loss) is None


def test_what_autograd_refuses_is_the_only_strangers_there_is(classes, blame):
    made = classes.Loss().spoilt()
    made = made * made.exp().mul_(2)
    assert blame(made.backward, classes.Net, classes.Loss) == THEIRS
    made = classes.Loss().spoilt()
    made = made * made.exp().mul_(2)
    assert blame(made.backward, classes.Other, classes.Loss) is None
    assert blame(torch.ones(()).backward, classes.Net) is None


def test_a_broken_contract_names_the_part_or_what_made_it(classes, blame):
    def breaks(part: type) -> Callable[[], Any]:
        def call() -> None:
            raise ContractBroken(part, "has to return a scalar tensor")

        return call

    assert blame(breaks(classes.Loss), classes.Net, classes.Loss) == THEIRS
    assert blame(breaks(classes.helpers.Refusing), classes.Net, classes.Loss) == THEIRS
    assert blame(breaks(torch.nn.Linear), classes.Net, classes.Loss) is None


def test_a_traceback_without_end_is_cut_in_its_middle():
    with pytest.raises(ValueError, match="x") as raised:
        raise ValueError("x" * 2**20 + " the end")
    text = traceback_of(raised.value)
    assert text.startswith("Traceback")
    assert text.endswith(" the end\n")
    assert len(text) < 50_000
