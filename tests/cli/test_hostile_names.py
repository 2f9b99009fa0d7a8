"""Names from plugins and stores that would steer a terminal, or pass for something else."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from ganbench.cli.output import echo, escape
from ganbench.store import Outcome, Store

NAME = "\x1b[2Jx\r\0\x07\x08\x7f\x9b\x85\u202e\u2066\u2028</script>|`=cmd()"
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
MARK = r"\x1b[2Jx"  # how NAME is seen to begin
METRIC = f"fd[{NAME}]"

PLUGIN = """
from dataclasses import dataclass
from ganbench.api import hookimpl

NAME = {name!r}

@dataclass
class Odd:
    __doc__ = "Summary " + NAME + "\\n\\nhttps://example.org/" + NAME
    version = 1
    recommended = {{NAME: NAME}}
    field: str = NAME
    def discriminator_loss(self, real, fake): raise RuntimeError(NAME)
    def generator_loss(self, fake): raise RuntimeError(NAME)

class Broken:
    __doc__ = "Broken " + NAME
    version = 1
    def load(self, folder): raise RuntimeError(NAME)
    def check(self, reference): raise RuntimeError(NAME)

@hookimpl
def ganbench_losses(): return {{"odd": Odd}}

@hookimpl
def ganbench_datasets(): return {{"broken-data": Broken}}

@hookimpl
def ganbench_extractors(): return {{"broken-extractor": Broken}}

@hookimpl
def ganbench_metrics(): return {{"lost": NAME + ":Metric"}}

@hookimpl
def ganbench_recipes(): return {{"mixed": "odd:field=" + NAME}}
"""


def checked(ran):
    """What was printed, with nothing raw in it."""
    everything = ran.out + ran.err
    assert not RAW.search(everything)
    assert "Traceback" not in ran.err
    return everything


@pytest.fixture
def plugin(tmp_path) -> Path:
    """A plugin file whose path is hostile too."""
    path = tmp_path / "bad\x1b[2Jx\r\u202e\nError: forged.py"
    path.write_text(PLUGIN.format(name=NAME))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["show", "odd"],
        ["show", "mixed"],
        ["show", "lost"],
        ["plugins"],
        ["doctor"],
        ["prepare", "broken-data"],
    ],
    ids=" ".join,
)
def test_what_a_plugin_says_is_shown_and_steers_nothing(ganbench, plugin, arguments):
    text = checked(ganbench(*arguments, "--plugin-file", plugin))
    assert MARK in text
    assert "\nError: forged" not in text


def test_why_a_plugin_is_broken_is_shown_and_steers_nothing(ganbench, tmp_path):
    (tmp_path / "broken.py").write_text(f"raise RuntimeError({NAME!r})\n")
    for command in ("list", "plugins", "doctor"):
        assert MARK in checked(ganbench(command, "--plugin-file", "broken.py"))
    ran = ganbench("run", "--losses", "nobody", "--plugin-file", "broken.py")
    assert ran.code == 2
    assert MARK in checked(ran)


def test_a_distributions_name_steers_nothing(ganbench, tmp_path, monkeypatch):
    about = tmp_path / "site" / "evil-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Name: ev\x1b[2Jil\u202e\nVersion: 1\x07\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[ganbench]\nmi\x1bne\u202e = no_such_module\n")
    monkeypatch.syspath_prepend(str(about.parent))
    for command in ("list", "plugins", "doctor"):
        assert r"ev\x1b[2Jil\u202e" in checked(ganbench(command))


@pytest.mark.parametrize("option", ["--losses", "--by", "--device", "--format", "-p"])
def test_what_was_typed_steers_nothing(ganbench, option):
    typed = NAME.replace("\0", "")
    losses = [] if option == "--losses" else ["--losses", "nonsat"]
    ran = ganbench("run", *losses, option, typed)
    assert ran.code == 2
    checked(ran)


@pytest.fixture
def store(tmp_path) -> Path:
    """A completed run, a failed one and a damaged one; every text in them is hostile."""
    store = Store(tmp_path / "results", create=True)
    part = {"name": NAME, "short": NAME, "fields": {NAME: NAME}, "fingerprint": NAME}
    labels = dict.fromkeys(("schedule", "dataset", "architecture", "protocol"), part)
    for seed, outcome in enumerate((Outcome.COMPLETED, Outcome.PLUGIN_ERROR)):
        run = store.run(f"run{seed}\x1b[2J\u202e")
        run.plan({**labels, "objective": f"=cmd(){NAME}", "seed": seed, "cell": NAME})
        run.append_event({"event": "started", "columns": [{"name": METRIC, "direction": NAME}]})
        for value in (9.0, 1.0):
            run.append_event({"event": "evaluated", "metrics": {METRIC: value}, NAME: NAME})
        run.finish(outcome, error=NAME, plugin=NAME, last_line=NAME)
    damaged = store.run("damaged\x1b[2J\nWarning: forged\u202e").path
    damaged.mkdir()
    (damaged / "recipe.json").write_text(f"[{NAME!r}")
    return store.path


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_a_stores_names_are_shown_in_tables_and_steer_nothing(ganbench, store, form):
    with pytest.warns(UserWarning, match="left out") as warned:
        ran = ganbench("table", "--format", form)
    assert ran.code == 0
    text = checked(ran)
    assert "x1b" in text
    if form == "markdown":
        assert "</script>" not in text
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    (warning,) = warned
    assert not RAW.search(str(warning.message))
    assert "\n" not in str(warning.message)


@pytest.mark.filterwarnings("ignore:left out")
def test_programs_get_a_stores_names_whole(ganbench, store):
    (row,) = json.loads(checked(ganbench("table", "--format", "json")))
    assert (row["loss"], row["dataset"], row["metric"]) == (f"=cmd(){NAME}", NAME, METRIC)
    (row,) = csv.DictReader(io.StringIO(checked(ganbench("table", "--format", "csv"))))
    assert row["loss"].startswith(f"'=cmd(){MARK}")
    assert row["dataset"].startswith(MARK)


@pytest.mark.filterwarnings("ignore:left out")
def test_halves_of_characters_are_no_failure(ganbench, store, tmp_path):
    for recipe in store.glob("runs/run*/recipe.json"):
        recipe.write_text(recipe.read_text().replace(r"\u202e", r"\ud800"))
    for form in ("text", "markdown", "latex", "csv", "json"):
        ran = ganbench("table", "--format", form)
        assert ran.code == 0
        checked(ran)


@pytest.mark.filterwarnings("ignore:left out")
def test_a_message_about_a_store_steers_nothing(ganbench, store):
    for arguments in (["evaluate", "zz\x1b"], ["evaluate", "run0"], ["table", "--metric", "q\x1b"]):
        ran = ganbench(*arguments)
        assert ran.code == 2
        assert r"\x1b" in checked(ran)


def test_a_run_that_fails_is_told_of_and_steers_nothing(ganbench, plugin):
    ran = ganbench(
        *("run", "--losses", "odd", "--datasets", "gaussian", "--seeds", "1", "--jobs", "1"),
        *("--metrics", "modes", "--budget", "1kimg", "--plugin-file", plugin),
    )
    text = checked(ran)
    assert f"RuntimeError: {MARK}" in text
    assert "1 plugin error" in text
    assert "\nError: forged" not in text


def test_what_is_said_on_a_terminal_steers_nothing():
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system=None, width=200).print(
        escape(f"[bold]{NAME}[/bold]\n")
    )
    assert not RAW.search(out.getvalue())
    assert f"[bold]{MARK}" in out.getvalue()


def test_lines_stay_lines(capsys):
    echo("one\n\ttwo\x1b")
    echo()
    assert capsys.readouterr().out == "one\n\ttwo\\x1b\n\n"
