import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import pytest

from ganbench.catalogue import LOSS, METRIC, PENALTY, Catalogue, Component, Origin, Plugin
from ganbench.choices import choose
from ganbench.errors import BadInput, PluginBroken
from ganbench.plugins import discover
from ganbench.specs import Spec

HOOKS = "from ganbench.api import hookimpl\n"


def offering(hook: str, value: str) -> str:
    """A plugin's module with one hook."""
    return f"{HOOKS}@hookimpl\ndef {hook}():\n    return {value}\n"


LOSSES = offering("ganbench_losses", "{NAME: Mine}") + (
    'class Mine:\n    """Mine.\n\n    More.\n    """\n    version = 1\n'
)


def named(name: str) -> str:
    return LOSSES.replace("NAME", repr(name))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution, with one module and one entry point, for the time of a test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    modules: list[str] = []

    def installed(
        distribution: str, source: str, entry_point: str = "", editable: bool | None = None
    ) -> Path:
        module = f"ganbench_test_{distribution.replace('-', '_')}"
        modules.append(module)
        (site / f"{module}.py").write_text(source)
        info = site / f"{distribution.replace('-', '_')}-2.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n"
        )
        (info / "entry_points.txt").write_text(
            f"[ganbench]\n{entry_point or distribution} = {module}\n"
        )
        if editable is not None:
            url = {"url": "file:///here", "dir_info": {"editable": editable}}
            (info / "direct_url.json").write_text(json.dumps(url))
        return site / f"{module}.py"

    yield installed
    for module in modules:
        sys.modules.pop(module, None)


def plugin(catalogue: Catalogue, name: str) -> Plugin:
    (found,) = [p for p in catalogue.plugins if p.origin.plugin == name]
    return found


def names(catalogue: Catalogue) -> set[str]:
    return {component.name for component in catalogue.of_kind(LOSS)}


def test_an_installed_plugin_is_found(install):
    install("my-losses", named("mine"))
    found = plugin(discover(), "my-losses")
    assert found.origin == Origin("my-losses", "my-losses", "2.5", mutable=False)
    assert str(found.origin) == "my-losses (my-losses 2.5)"
    assert (found.status, found.error) == ("ok", "")
    (component,) = found.components
    assert (component.kind, component.name, component.summary) == (LOSS, "mine", "Mine.")
    assert choose(discover(), LOSS, Spec("mine")).component.cls.__name__ == "Mine"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module_of_anyone", "ModuleNotFoundError: No module named 'no_such_"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError: "),
        (offering("ganbench_loses", "{}"), "PluginValidationError: unknown hook 'ganbench_loses'"),
        (f"{HOOKS}@hookimpl\ndef ganbench_losses(extra):\n    return {{}}\n", "PluginValidationEr"),
        (offering("ganbench_losses", "{}[0]"), "KeyError: 0"),
        (offering("ganbench_losses", "['a']"), "TypeError: ganbench_losses has to return a dict,"),
        (offering("ganbench_losses", "None"), "TypeError: ganbench_losses has to return a dict, n"),
        (offering("ganbench_losses", "{'Big Name': 'a:B'}"), "ValueError: ganbench_losses: 'Big N"),
        (offering("ganbench_losses", "{'a+b': 'a:B'}"), "ValueError: ganbench_losses: 'a+b' is no"),
        (offering("ganbench_losses", "{'': 'a:B'}"), "ValueError: ganbench_losses: '' is no name"),
        (offering("ganbench_losses", "{7: 'a:B'}"), "ValueError: ganbench_losses: 7 is no name"),
        (offering("ganbench_losses", "{'a': 7}"), "TypeError: ganbench_losses: 'a' has to be a cl"),
    ],
)
def test_a_broken_plugin_fails_alone(install, source, error):
    install("aaa-broken", source)
    install("zzz-fine", named("mine"))
    catalogue = discover()
    broken = plugin(catalogue, "aaa-broken")
    assert broken.status == "broken"
    assert broken.error.startswith(error)
    assert "\n" not in broken.error
    assert "Traceback" in broken.traceback
    assert broken.components == ()
    assert catalogue.broken == [broken]
    assert plugin(catalogue, "zzz-fine").status == "ok"
    assert {"mine", "minimax", "nonsat"} <= names(catalogue)


def test_a_ctrl_c_is_no_broken_plugin(install):
    install("impatient", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover()


def test_one_plugin_fills_many_catalogues(install):
    source = named("mine") + (
        "@hookimpl\ndef ganbench_penalties():\n    return {'push': 'some.module:Push'}\n"
        "@hookimpl\ndef ganbench_metrics():\n    return {'score': 'some.module:Score'}\n"
    )
    install("my-things", source)
    offered = plugin(discover(), "my-things").components
    assert {(c.kind, c.name) for c in offered} == {
        (LOSS, "mine"), (PENALTY, "push"), (METRIC, "score"),
    }  # fmt: skip


def test_a_clash_names_both_packages_and_the_way_out(install):
    install("first-losses", named("mine"))
    install("second-losses", named("mine"))
    with pytest.raises(BadInput) as refused:
        discover().find(LOSS, "mine")
    assert str(refused.value) == (
        "loss 'mine' is offered by first-losses (first-losses 2.5) and second-losses"
        " (second-losses 2.5).\n  Leave one out with `-p no:PLUGIN`."
    )
    assert discover(["first-losses"]).find(LOSS, "mine").origin.distribution == "second-losses"


def test_two_distributions_may_use_one_entry_points_name(install):
    install("first-losses", named("one"), entry_point="losses")
    install("second-losses", named("two"), entry_point="losses")
    catalogue = discover()
    assert {"one", "two"} <= names(catalogue)
    assert catalogue.find(LOSS, "one").origin.distribution == "first-losses"
    assert catalogue.find(LOSS, "two").origin.distribution == "second-losses"


def test_what_is_blocked_is_never_imported(install, capsys):
    install("loud", "print('imported')\n" + named("mine"))
    catalogue = discover(["loud"])
    assert plugin(catalogue, "loud").status == "blocked"
    assert "mine" not in names(catalogue)
    assert capsys.readouterr().out == ""
    assert "mine" in names(discover())
    assert capsys.readouterr().out == "imported\n"


def test_blocking_what_is_not_there_is_refused():
    with pytest.raises(BadInput) as refused:
        discover(["bundled-loses"])
    first, second = str(refused.value).splitlines()
    assert first == "no plugin is called 'bundled-loses'. Did you mean 'bundled-losses'?"
    assert "bundled-metrics" in second


def test_a_broken_plugin_is_mentioned_when_something_is_missing(install):
    install("my-losses", "import no_such_module_of_anyone")
    with pytest.raises(BadInput) as refused:
        discover().find(LOSS, "mine")
    lines = str(refused.value).splitlines()
    assert lines[0].startswith("no loss is called 'mine'.")
    assert lines[1].startswith("  Known: ")
    assert lines[-1] == (
        "  It may be in plugin my-losses (my-losses 2.5), which is broken: ModuleNotFoundError:"
        " No module named 'no_such_module_of_anyone'"
    )


def test_an_unknown_name_gets_the_nearest_and_where_to_look():
    with pytest.raises(BadInput) as refused:
        discover().find(LOSS, "minmax")
    lines = str(refused.value).splitlines()
    assert lines[0] == "no loss is called 'minmax'. Did you mean 'minimax'?"
    assert "minimax" in lines[1]
    assert lines[2].startswith("  See them with `ganbench list losses`;")


def test_a_plugin_file(tmp_path):
    path = tmp_path / "my loss.py"
    path.write_text(named("mine"))
    found = plugin(discover(files=[path]), str(path))
    digest = sha256(path.read_bytes()).hexdigest()
    assert found.origin == Origin(str(path), "file", digest[:12], mutable=True)
    (component,) = found.components
    assert component.source_digest == digest


def test_plugin_files_of_one_name_do_not_meet(tmp_path):
    paths = [tmp_path / folder / "loss.py" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(named(path.parent.name))
    assert {"one", "two"} <= names(discover(files=paths))


def test_a_plugin_files_source_is_in_the_key(tmp_path):
    path = tmp_path / "loss.py"
    keys = []
    for body in ("", "# another thought\n"):
        path.write_text(named("mine") + body)
        keys.append(choose(discover(files=[path]), LOSS, Spec("mine")).key_parts()["source"])
    assert None not in keys
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("name", "source", "error"),
    [
        ("loss.py", "1/0", "ZeroDivisionError: division by zero"),
        ("loss.py", "def (", "SyntaxError: "),
        ("loss.txt", named("mine"), "ImportError: "),
    ],
)
def test_a_broken_plugin_file_fails_alone(tmp_path, name, source, error):
    path = tmp_path / name
    path.write_text(source)
    catalogue = discover(files=[path])
    assert plugin(catalogue, str(path)).error.startswith(error)
    assert "minimax" in names(catalogue)


def test_a_plugin_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"plugin file '.*none.py' can't be read: No such file"):
        discover(files=[tmp_path / "none.py"])


@pytest.mark.parametrize(("editable", "mutable"), [(True, True), (False, False), (None, False)])
def test_an_editable_install_is_told_by_its_source(install, editable, mutable):
    path = install("my-losses", named("mine"), editable=editable)
    component = discover().find(LOSS, "mine")
    assert component.origin.mutable is mutable
    expected = sha256(path.read_bytes()).hexdigest() if mutable else None
    assert component.source_digest == expected


def component(target: str | type) -> Component:
    return Component(LOSS, "mine", target, Origin("p", "d", "1"))


def test_the_summary_is_read_without_an_import(tmp_path, monkeypatch):
    module = tmp_path / "ganbench_test_never_imported.py"
    module.write_text('raise SystemExit\nclass Mine:\n    """  First line.\n\n    Rest."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    mine = component("ganbench_test_never_imported:Mine")
    assert mine.summary == "First line."
    assert mine.docstring.splitlines()[-1] == "Rest."
    assert component("ganbench_test_never_imported:Absent").summary == ""
    assert component("ganbench_test_nowhere:Mine").summary == ""
    with pytest.raises(PluginBroken, match=r"can't be loaded from .*: SystemExit"):
        _ = mine.cls


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("ganbench_test_nowhere:Mine", "ModuleNotFoundError: No module named 'ganbench_test_now"),
        ("json:Mine", "AttributeError: module 'json' has no attribute 'Mine'"),
        ("json:dumps", "'json:dumps' is no class"),
        ("json", "can't be loaded from 'json'"),
    ],
)
def test_a_class_that_cannot_be_had_is_its_plugins_fault(target, why):
    with pytest.raises(PluginBroken) as broken:
        _ = component(target).cls
    assert str(broken.value).startswith("loss 'mine' of plugin p (d 1)")
    assert why in str(broken.value)


def test_the_bundled_ones_come_by_the_same_door(bundled):
    assert bundled.broken == []
    bundled_plugins = [p for p in bundled.plugins if p.origin.distribution == "ganbench"]
    assert {p.origin.plugin for p in bundled_plugins} >= {"bundled-losses", "bundled-metrics"}
    for kind in (LOSS, PENALTY, METRIC):
        for offered in bundled.of_kind(kind):
            assert offered.summary, offered.name


def test_listing_imports_no_torch():
    code = (
        "import sys\n"
        "from ganbench.catalogue import KINDS\n"
        "from ganbench.plugins import discover\n"
        "catalogue = discover()\n"
        "print(*(c.summary for kind in KINDS for c in catalogue.of_kind(kind)), sep='\\n')\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "The original minimax loss" in done.stdout or "two-player game" in done.stdout


def test_the_test_modules_are_gone_again():
    assert importlib.util.find_spec("ganbench_test_my_losses") is None


def test_the_text_that_dataclass_makes_up_is_no_docstring(toys):
    @dataclass
    class Undocumented:
        version: ClassVar[int] = 1
        weight: float = 1.0

    (component,) = toys((LOSS, "undocumented", Undocumented)).of_kind(LOSS)
    assert Undocumented.__doc__
    assert (component.docstring, component.summary, component.reference) == ("", "", "")


def test_a_checkout_on_the_path_is_told_by_its_source_too(install):
    """Its egg-info is found before what is installed wherever `python -m` puts it on the path."""
    path = install("my-losses", named("mine"))
    (info,) = path.parent.glob("*.dist-info")
    (info / "METADATA").rename(info / "PKG-INFO")
    info.rename(path.parent / "my_losses.egg-info")
    (plugin,) = [p for p in discover((), ()).plugins if p.origin.distribution == "my-losses"]
    assert plugin.origin.mutable
