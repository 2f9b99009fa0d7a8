"""Where things are kept by default, also by a user without a home."""

from pathlib import Path

import pytest

from ganbench.catalogue import DATASET
from ganbench.choices import choose
from ganbench.cli import main
from ganbench.errors import BadInput, NotPrepared
from ganbench.folders import expanded, user_cache
from ganbench.planning import load, plan
from ganbench.reference import default_folder
from ganbench.request import Request, Setup, default_data_folder
from ganbench.specs import parse_one


@pytest.fixture
def homeless(monkeypatch):
    """As in a container that runs as a user it has not heard of."""

    def unknown(uid):
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", "GANBENCH_DATA", "GANBENCH_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    return monkeypatch


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path / "store", tmp_path / "data", "cpu")


def test_the_cache_is_the_users_or_what_is_named(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert user_cache() == Path("/xdg/ganbench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert user_cache() == Path("/home/someone/.cache/ganbench")


@pytest.mark.parametrize("default", [default_folder, default_data_folder])
def test_who_has_no_home_is_told_what_to_set(homeless, default):
    with pytest.raises(BadInput, match=r"(?s)no home folder.*XDG_CACHE_HOME"):
        default()
    homeless.setenv("XDG_CACHE_HOME", "/xdg")
    assert default().is_relative_to("/xdg/ganbench")


def test_a_tilde_that_stands_for_nothing_is_bad_input(homeless, bundled):
    with pytest.raises(BadInput, match="~/photos can't be read"):
        expanded("~/photos")
    with pytest.raises(BadInput, match="~nosuchuser/photos can't be read"):
        choose(bundled, DATASET, parse_one("images:path=~nosuchuser/photos"))
    assert expanded("photos") == Path("photos")


@pytest.mark.parametrize(
    "arguments",
    [
        ("prepare", "digits"),
        ("evaluate", "--fake", "digits", "--real", "digits"),
        ("evaluate", "--fake", "digits", "--real", "digits", "--data-folder", "data"),
    ],
    ids=" ".join,
)
def test_without_a_home_commands_say_so(homeless, capsys, arguments):
    homeless.setattr("sys.argv", ["ganbench", *arguments])
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == 2
    assert "Error: this user has no home folder" in capsys.readouterr().err


def test_without_a_home_nothing_is_planned_for_a_cache_that_there_is_not(homeless, bundled, setup):
    """Its data folder is given; only workers would find out that there is no cache."""
    with pytest.raises(BadInput, match="this user has no home folder"):
        plan(Request("nonsat"), setup, bundled)


def test_without_a_home_data_that_are_not_there_are_still_named(homeless, bundled, setup):
    mnist = choose(bundled, DATASET, parse_one("mnist"))
    with pytest.raises(NotPrepared, match=f"prepare mnist --data-folder {setup.data_folder}"):
        load(mnist, setup.data_folder)
