"""Plugins that do harm, in one study beside `nonsat`: each ends in its own row, and no further."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

import ganbench
from ganbench.store import FAILURES, RunFolder, Store

pytestmark = pytest.mark.slow

Ran: TypeAlias = subprocess.CompletedProcess[str]
ORIGIN = "strangers (stranger-losses 0.3)"
CONTRACT = "ContractBroken: "
# What becomes of each, and what is said of it.
STRANGERS = {
    "loops": ("timed_out", "still running after 40 s"),
    "holds-the-gil": ("timed_out", "still running after 40 s"),
    "raises": ("plugin_error", "ValueError: boom"),
    "in-torch": ("plugin_error", "RuntimeError: inconsistent tensor size"),
    "spoils": ("plugin_error", "RuntimeError: one of the variables needed for gradient"),
    "exits": ("plugin_error", "SystemExit: 5"),
    "vanishes": ("crashed", "exit code 0"),
    "killed": ("crashed", "ended by SIGKILL"),
    "segfaults": ("crashed", "ended by SIGSEGV"),
    "nan": ("diverged", "discriminator_loss is not finite at generator step 1"),
    "allocates": ("out_of_memory", "RuntimeError: "),
    "reseeds": ("completed", ""),
    "changes-logits": ("plugin_error", f"{CONTRACT}ChangesLogits changes its input in place"),
    "nonsat+changes-real": ("plugin_error", f"{CONTRACT}ChangesReal changes its input in place"),
    "nonsat+changes-fake": ("plugin_error", f"{CONTRACT}ChangesFake changes its input in place"),
    "prints": ("crashed", "exit code 9: xxxx"),
    "vector": ("plugin_error", f"{CONTRACT}Vector has to return a scalar tensor; it returned [4]"),
    "number": ("plugin_error", f"{CONTRACT}Number has to return a scalar tensor; it returned flo"),
    "detached": ("plugin_error", f"{CONTRACT}Detached has to return a loss that depends on the"),
    "complex": ("plugin_error", f"{CONTRACT}Complex has to return a scalar tensor; it returned []"),
    "integer": ("plugin_error", f"{CONTRACT}Integer has to return a scalar tensor; it returned []"),
    "meta": ("plugin_error", f"{CONTRACT}Meta has to return a tensor on cpu; it returned one on"),
    "elsewhere": ("plugin_error", f"{CONTRACT}Elsewhere has to return a loss that depends on the"),
    "counts": ("plugin_error", f"{CONTRACT}Counts keeps '_extra_state' in its state, of the type"),
    "only-there": ("plugin_error", f"loss 'only-there' of plugin {ORIGIN} can't be loaded from"),
    "patches": ("completed", ""),
    "stays": ("completed", ""),
}
TRIED_TWICE = ("killed", "segfaults")
TIMED = ("nonsat", "raises", "killed")
# Packages whose hooks can't even be called.
BROKEN = {
    "broken-import": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such"),
    "broken-hook": ("@hookimpl\ndef ganbench_losses(): 1 / 0", "ZeroDivisionError: division"),
    "garbage": ("@hookimpl\ndef ganbench_losses(): return 7", "TypeError: ganbench_losses has"),
}
CELL = {
    "datasets": "gaussian:size=500",
    "architectures": "mlp:width=8:depth=1",
    "protocol": "quick:batch_size=4:evaluations=1:evaluation_samples=50:budget=200gsteps",
}


# Plans in a process of its own, as strangers are imported for it; says each run's key. Notes a
# speed for each cell but a few, so that not all of them are timed.
PLAN = """\
import json, sys
from pathlib import Path
from ganbench.executors.job import PluginChoice
from ganbench.files import write_json
from ganbench.planning import machine_of, plan
from ganbench.request import Request, Setup
from ganbench.store import Store

store, cell, losses, timed = json.loads(sys.argv[1])
setup = Setup(Path(store), Path(store), "cpu")
experiments = plan(Request(",".join(losses), seeds=1, **cell), setup, PluginChoice().discover())
store, machine = Store(setup.store, create=True), machine_of(setup)
for experiment in experiments:
    if experiment.objective.short not in timed:
        known = {"cell": experiment.cell_key, "environment": {"machine": machine}}
        steps = ("images", "generator_steps", "discriminator_steps", "flops")
        rates = dict.fromkeys((f"{name}_per_second" for name in steps), 1000.0)
        path = store.throughput_path(experiment.cell_key, machine)
        write_json(path, {"schema": 1, **known, **rates})
print(json.dumps({experiment.objective.short: experiment.key for experiment in experiments}))
"""


class Studied(NamedTuple):
    """A study as it was run from the command line."""

    ran: Ran
    store: Store
    keys: dict[str, str]

    def folder(self, loss: str) -> RunFolder:
        return self.store.run(self.keys[loss])

    def outcome(self, loss: str) -> dict[str, Any]:
        return self.folder(loss).outcome() or {}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder where the strangers' packages are installed."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(Path(__file__).with_name("strangers"), site / "strangers")
    install(site, "stranger-losses", "0.3", "strangers")
    for name, (body, _) in BROKEN.items():
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(f"from ganbench.api import hookimpl\n{body}\n")
        install(site, name, "0.1", module)
    return site


def install(site: Path, distribution: str, version: str, module: str) -> None:
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(f"[ganbench]\n{module} = {module}\n")


@pytest.fixture(scope="module")
def study(site, tmp_path_factory, ganbench_command) -> Studied:
    folder = tmp_path_factory.mktemp("study")
    return studied(ganbench_command, folder, ["nonsat", *STRANGERS], site)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, ganbench_command) -> Studied:
    """The same without any stranger."""
    return studied(ganbench_command, tmp_path_factory.mktemp("alone"), ["nonsat"])


def studied(command: str, store: Path, losses: list[str], *sites: Path) -> Studied:
    argument = json.dumps([str(store), CELL, losses, TIMED])
    planned = called([sys.executable, "-P", "-c", PLAN, argument], *sites)
    assert planned.returncode == 0, planned.stderr
    keys = json.loads(planned.stdout)
    assert list(keys) == losses
    return Studied(again(command, store, losses, *sites), Store(store), keys)


def again(command: str, store: Path, losses: list[str], *sites: Path) -> Ran:
    cell = [text for name, spec in CELL.items() for text in (f"--{name}", spec)]
    bounds = ["--timeout", "40s", "--memory", "4GiB", "--jobs", "3", "--seeds", "1"]
    arguments = ["--losses", ",".join(losses), *cell, *bounds, "--store", str(store)]
    return called([command, "run", *arguments], *sites)


def called(command: list[str], *sites: Path) -> Ran:
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, [*map(str, sites), inherited]))
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)


@pytest.mark.parametrize("loss", STRANGERS)
def test_each_ends_in_its_own_way(study, loss):
    outcome, said = STRANGERS[loss]
    found = study.outcome(loss)
    assert found["outcome"] == outcome
    assert found.get("error", "").startswith(said)
    assert "\n" not in found.get("error", "")
    assert found["attempt"] == 1 + (loss in TRIED_TWICE)


def test_rows_are_planned_cells(study):
    runs = ganbench.load(study.store.path).runs()
    expected = {loss: outcome for loss, (outcome, _) in STRANGERS.items()}
    assert dict(zip(runs["loss"], runs["outcome"], strict=True)) == {
        **expected, "nonsat": "completed"
    }  # fmt: skip
    table = ganbench.load(study.store.path).table()
    assert sorted(table["loss"]) == sorted(study.keys)
    assert set(table["planned"]) == {1}


def test_a_study_with_failures_says_so_with_its_exit_code(study, alone):
    assert study.ran.returncode == 3
    assert alone.ran.returncode == 0


def test_the_plugin_is_named_with_its_package_and_version(study):
    lines = study.ran.stdout.splitlines()
    for loss, (outcome, said) in STRANGERS.items():
        if outcome not in FAILURES:
            continue
        (place,) = [n for n, line in enumerate(lines) if line.startswith(f"{outcome} {loss} seed")]
        assert lines[place].startswith(f"{outcome} {loss} seed 0: {said}")
        by = "in plugin" if outcome == "plugin_error" else "with code of"
        assert lines[place + 1] == f"  {by} {ORIGIN}"
        assert study.outcome(loss).get("plugin", ORIGIN) == ORIGIN
        assert ("plugin" in study.outcome(loss)) == (outcome == "plugin_error")


def test_a_traceback_is_in_the_store_and_one_line_on_the_terminal(study):
    for loss, (outcome, _) in STRANGERS.items():
        if outcome == "plugin_error":
            assert study.outcome(loss)["traceback"].startswith("Traceback")
    assert "in discriminator_loss\n" in study.outcome("raises")["traceback"]
    assert "ImportError: not in this process" in study.outcome("only-there")["traceback"]
    for text in (study.ran.stdout, study.ran.stderr):
        assert "Traceback" not in text
        assert max(map(len, text.splitlines()), default=0) < 500


def test_what_was_printed_is_kept_and_quoted_in_short(study):
    assert (study.folder("prints").path / "log.txt").stat().st_size > 2**20
    assert len(study.outcome("prints")["error"]) < 300


def test_the_others_compute_what_they_compute_without_them(study, alone):
    """Whatever strangers did to torch's generator, to torch, to ganbench, to their batches."""
    assert study.keys["nonsat"] == alone.keys["nonsat"]
    ours, theirs = study.folder("nonsat"), alone.folder("nonsat")
    assert ours.generator_path.read_bytes() == theirs.generator_path.read_bytes()
    scored = [
        [event["metrics"] for event in folder.events() if event["event"] == "evaluated"]
        for folder in (ours, theirs)
    ]
    assert len(scored[0]) == 2
    assert scored[0] == scored[1]
    reseeding = study.folder("reseeds")
    assert reseeding.generator_path.read_bytes() == theirs.generator_path.read_bytes()


def test_a_plugin_whose_hook_fails_is_one_loud_line(study, alone):
    lines = study.ran.stderr.splitlines()
    assert len(lines) == len(BROKEN)
    for line, (name, (_, error)) in zip(lines, sorted(BROKEN.items()), strict=True):
        module = name.replace("-", "_")
        assert line.startswith(f"plugin {module} ({name} 0.1) is broken and left out: {error}")
    assert alone.ran.stderr == ""


def test_what_can_not_be_timed_is_said(study):
    lines = [line for line in study.ran.stdout.splitlines() if "could not be timed" in line]
    assert lines == [
        "raises could not be timed: exit code 1: ValueError: boom",
        "killed could not be timed: ended by SIGKILL",
    ]


def test_what_failed_twice_alike_is_left_and_said(study, site, ganbench_command, tmp_path):
    losses = ["nonsat", "killed", "raises"]
    store = Store(shutil.copytree(study.store.path, tmp_path / "store"))
    second = again(ganbench_command, store.path, losses, site)
    assert "1 of them are in" in second.stdout
    assert "killed seed 0 failed twice in the same way and is left (crashed)" in second.stdout
    assert "plugin_error raises seed 0: ValueError: boom" in second.stdout
    assert store.run(study.keys["raises"]).outcome()["attempt"] == 2
    third = again(ganbench_command, store.path, losses, site)
    assert "raises seed 0 failed twice in the same way and is left (plugin_error)" in third.stdout
    assert "started" not in third.stdout
    assert (second.returncode, third.returncode) == (3, 3)
