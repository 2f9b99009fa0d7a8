"""What the light commands print, and that they are light."""

import subprocess
import sys
from importlib.metadata import version

import pytest

HEAVY = ("torch", "torchvision", "pandas", "scipy", "sklearn", "pydantic")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["list"], ["run", "--help"], ["plugins"], ["store", "gc", "--help"]],
)
def test_light_commands_import_nothing_heavy(arguments):
    code = (
        "import sys; from ganbench.cli import cli;"
        f"cli.main({arguments!r}, standalone_mode=False);"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize(
    "command",
    [
        "", "run", "evaluate", "list", "show", "plugins", "prepare", "table", "doctor", "store",
        "store check", "store repair", "store collect", "store gc",
    ],
)  # fmt: skip
def test_every_help_text_has_examples_that_parse(ganbench, command):
    ran = ganbench(*command.split(), "--help")
    assert ran.code == 0
    examples = [
        line.split()[1:]
        for line in ran.out.partition("Examples:")[2].splitlines()
        if line.strip().startswith("ganbench ")
    ]
    assert examples
    words = command.split()
    assert all(example[: len(words)] == words for example in examples)


def test_the_help_of_evaluate_says_what_a_name_stands_for(ganbench):
    assert "write ./NAME for the folder" in " ".join(ganbench("evaluate", "--help").out.split())


def test_the_version(ganbench):
    assert ganbench("--version").out.strip() == f"ganbench, version {version('ganbench')}"


def test_list_gives_every_kind_with_a_summary_and_an_origin(ganbench):
    lines = ganbench("list").out.splitlines()
    kinds = [line for line in lines if not line.startswith(" ")]
    assert kinds == [
        "losses:", "recipes:", "penalties:", "architectures:", "schedules:", "data sets:",
        "metrics:", "extractors:", "protocols:",
    ]  # fmt: skip
    (minimax,) = [line for line in lines if line.split()[0] == "minimax"]
    assert "two-player game" in minimax
    assert minimax.endswith("[ganbench]")
    for line in lines:
        if line.startswith(" ") and " = " not in line:
            assert len(line.split()) > 3, f"no summary: {line}"


def test_list_of_one_kind(ganbench):
    out = ganbench("list", "losses").out
    assert "nonsat" in out
    assert "dcgan" not in out


@pytest.mark.parametrize("name", ["minimax", "nonsat", "gp", "k-step", "dcgan", "digits", "fid"])
def test_show_gives_formula_fields_reference_and_origin(ganbench, name):
    out = ganbench("show", name).out
    assert "https://" in out
    assert "Fields:" in out
    assert f"(ganbench {version('ganbench')})" in out


def test_show_gives_types_bounds_and_defaults(ganbench):
    assert "  k: int >= 1 <= 10000 = 1" in ganbench("show", "k-step").out


def test_plugins_lists_what_each_adds_and_what_is_wrong(ganbench, tmp_path):
    (tmp_path / "typo.py").write_text(
        "from ganbench.api import hookimpl\n@hookimpl\ndef ganbench_loses(): return {}\n"
    )
    ran = ganbench("plugins", "--plugin-file", "typo.py", "-p", "no:bundled-metrics")
    assert ran.code == 0
    assert "losses: began, " in ran.out
    assert "recipes: dragan, " in ran.out
    assert "bundled-metrics  ganbench" in ran.out
    assert "blocked" in ran.out
    assert "typo.py" in ran.out
    assert "ganbench_loses" in ran.out


def test_a_broken_plugin_is_loud_and_stops_only_what_needs_it(ganbench, tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    listed = ganbench("list", "losses", "--plugin-file", "broken.py")
    assert listed.code == 0
    assert "minimax" in listed.out
    assert "broken.py (file" in listed.err
    ran = ganbench("run", "--losses", "theirs", "--plugin-file", "broken.py", "--dry-run")
    assert ran.code == 2
    assert "It may be in plugin broken.py" in ran.err
    assert "no_such_module" in ran.err
    fine = ganbench("run", "--losses", "nonsat", "--plugin-file", "broken.py", "--dry-run")
    assert fine.code == 0


def test_a_dry_run_shows_the_plan_and_leaves_nothing(ganbench, tmp_path):
    ran = ganbench("run", "--losses", "minimax,nonsat", "--k", "1,2", "--seeds", "2", "--dry-run")
    assert ran.code == 0
    assert "8 runs: 4 cells x 2 seeds" in ran.out
    assert "minimax | k-step:k=2 | digits | dcgan:width=32" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_doctor_names_devices_plugins_data_and_weights(ganbench):
    out = ganbench("doctor").out
    assert "float32" in out
    assert "bfloat16" in out
    assert "bundled-losses (ganbench" in out
    assert "digits: ready, 1,797 samples of 1 x 8 x 8" in out
    assert "ganbench prepare mnist" in out
    assert "inception: lacks its weights" in out


def test_prepare_says_what_is_there(ganbench):
    assert ganbench("prepare", "digits").out == (
        "digits is ready: 1,797 samples of 1 x 8 x 8 (all)\n"
    )


def test_prepare_tries_an_extractor_that_has_nothing_to_fetch(ganbench):
    assert ganbench("prepare", "raw").out == "raw is ready: numbers on it are named [raw,uint8]\n"
    assert "digits-cnn is ready: " in ganbench("prepare", "digits-cnn").out
    ran = ganbench("prepare", "mnist-cnn")
    assert (ran.code, ran.err) == (0, "")
    assert "mnist-cnn could not be tried, for want of data that it takes: " in ran.out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torchscript:path=missing.pt", "missing.pt: No such file or directory"),
        ("module:name=no_such_package.Network", "Python finds no 'no_such_package.Network'"),
        ("inception:weights=missing.pth", "missing.pth: No such file or directory"),
    ],
)
def test_prepare_says_what_is_wrong_with_an_extractor(ganbench, name, message):
    ran = ganbench("prepare", name)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_prepare_fetches_for_an_extractor_before_it_is_tried(ganbench, tmp_path):
    (tmp_path / "theirs.py").write_text(
        "from pathlib import Path\n"
        "from ganbench.api import Features, NotPrepared, hookimpl\n"
        "class Theirs:\n"
        "    version, batch_size, settings = 1, 5, ('theirs',)\n"
        "    def prepare(self): Path('weights').touch()\n"
        "    def check(self, reference):\n"
        "        if not Path('weights').exists(): raise NotPrepared('no weights')\n"
        "    def load(self, device): return Features\n"
        "class Old(Theirs):\n"
        "    def prepare(self, folder): ...\n"
        "@hookimpl\n"
        "def ganbench_extractors(): return {'theirs': Theirs, 'old': Old}\n"
    )
    ran = ganbench("prepare", "theirs", "--plugin-file", "theirs.py")
    assert ran.out == "theirs is ready: numbers on it are named [theirs]\n"
    ran = ganbench("prepare", "old", "--plugin-file", "theirs.py")
    assert ran.code == 2
    assert "extractor 'old' of plugin theirs.py (file" in ran.err
    assert "missing 1 required positional argument: 'folder'" in ran.err


def test_a_repeated_option_adds_to_the_first(ganbench):
    ran = ganbench(
        *("run", "--losses", "minimax", "--losses", "nonsat"),
        *("--datasets", "ring", "--datasets", "gaussian", "--seeds", "1", "--dry-run"),
    )
    assert "4 runs: 4 cells x 1 seeds" in ran.out


def test_doctor_says_which_plugin_code_is_broken(ganbench, tmp_path):
    (tmp_path / "odd.py").write_text(
        "from ganbench.api import hookimpl\n"
        "class Data:\n"
        "    version = 1\n"
        "    def load(self, folder): raise RuntimeError('no disk')\n"
        "@hookimpl\n"
        "def ganbench_datasets(): return {'odd': Data}\n"
        "@hookimpl\n"
        "def ganbench_metrics(): return {'lost': 'no_such_module:Metric'}\n"
    )
    ran = ganbench("doctor", "--plugin-file", "odd.py")
    assert ran.code == 0
    assert "odd: broken: data set 'odd' of plugin odd.py (file" in ran.out
    assert "RuntimeError: no disk" in ran.out
    assert "lost: broken: metric 'lost'" in ran.out
