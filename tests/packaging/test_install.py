"""The package as a stranger gets it: built, installed into a fresh environment, used elsewhere."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LIST = "import ganbench_plugins, ganbench; print(ganbench_plugins.__file__, ganbench.__file__)"

pytestmark = pytest.mark.slow


def sources():
    """The package's own files in the checkout, as paths inside an installed copy."""
    for top, installed in (("ganbench", "ganbench"), ("plugins", "ganbench_plugins")):
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{installed}/{path.relative_to(ROOT / top)}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy, so that building leaves nothing in the real one."""
    copy = tmp_path_factory.mktemp("checkout") / "ganbench"
    copy.mkdir()
    for name in ("ganbench", "plugins"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def built(checkout, tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--outdir", folder, checkout], folder)
    return folder


@pytest.fixture
def environment(tmp_path):
    """A fresh virtual environment that borrows torch and the like from the one running this."""
    folder = tmp_path / "venv"
    run([sys.executable, "-m", "venv", folder], tmp_path)
    borrowed = tmp_path / "borrowed"
    borrowed.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not path.name.startswith(("ganbench", "__editable__")):
            (borrowed / path.name).symlink_to(path)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(f"{borrowed}\n")
    return folder / "bin"


def run(command, folder):
    command = [str(part) for part in command]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def install(environment, what, folder):
    run([environment / "pip", "install", "--no-deps", "--ignore-installed", *what], folder)


def test_wheel_and_sdist_hold_every_file(built):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    expected = set(sources())
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert {name.replace("ganbench_plugins/", "plugins/", 1) for name in expected} - packed == set()


def test_a_strangers_package_adds_a_loss_to_the_wheel(built, environment, tmp_path):
    """The README's package, installed beside the wheel, trained outside the checkout."""
    package, elsewhere = tmp_path / "package", tmp_path / "elsewhere"
    package.mkdir()
    elsewhere.mkdir()
    for name, text in re.findall(r"```\w+ file=(\S+)\n(.*?)```", README, re.DOTALL):
        (package / name).write_text(text)
    install(environment, built.glob("*.whl"), elsewhere)
    install(environment, [package], elsewhere)
    for path in run([environment / "python", "-c", LIST], elsewhere).split():
        assert Path(path).is_relative_to(environment.parent)
    assert "my-gan-losses  my-gan-losses 1.0  ok\n  losses: mine" in run(
        [environment / "ganbench", "plugins"], elsewhere
    )
    command = ["run", "--losses", "mine,nonsat", "--seeds", "1", "--budget", "2kimg"]
    out = run([environment / "ganbench", *command], elsewhere)
    for loss in ("mine", "nonsat"):
        assert re.search(rf"^ *{loss} +k-step +digits +1/1 +\d", out, re.MULTILINE), out


@pytest.mark.parametrize("how", ["sdist", "editable"])
def test_other_ways_to_install_work_too(how, built, checkout, environment, tmp_path):
    what = {"sdist": list(built.glob("*.tar.gz")), "editable": ["--editable", checkout]}[how]
    install(environment, what, tmp_path)
    out = run([environment / "ganbench", "list"], tmp_path)
    assert "minimax" in out
    assert "digits" in out
    home = checkout if how == "editable" else environment.parent
    for path in run([environment / "python", "-c", LIST], tmp_path).split():
        assert Path(path).is_relative_to(home)
