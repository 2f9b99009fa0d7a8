import csv
import io
import json
import math

import pandas as pd
import pytest

from ganbench.results import Results
from ganbench.store import Store
from ganbench.tables import FORMATS

ROW = {
    "loss": "nonsat", "schedule": "k-step", "dataset": "ring", "architecture": "mlp",
    "protocol": "quick", "finished": 3, "planned": 5, "metric": "fd[n=50,all]", "final": 12.34567,
    "final_interval": 0.4567, "noise": 0.0789, "best": 0.001234, "best_interval": math.nan,
    "images_per_second": 12345.6, "generator_steps_per_second": 23.456,
    "flops_per_second": 1.5e9, "peak_share": 0.1234, "peak_memory_bytes": 300.0 * 2**20,
    "seconds": 65.43, "notes": "2 diverged (step 8, 9)",
}  # fmt: skip
UNKNOWN = {
    "finished": 0, "final": math.nan, "final_interval": math.nan, "noise": math.nan,
    "best": math.nan,
    "images_per_second": math.nan, "generator_steps_per_second": math.nan,
    "flops_per_second": math.nan, "peak_share": math.nan, "peak_memory_bytes": math.nan,
    "seconds": math.nan, "notes": "",
}  # fmt: skip


def table(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, **row} for row in rows])


def markdown(*rows: dict) -> list[list[str]]:
    """The cells of the Markdown table, the header first and the rule left out."""
    text = FORMATS["markdown"](table(*rows))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.replace(r"\|", "\0").strip("|").split("|")]
        for index, line in enumerate(lines)
        if index != 1
    ]


CELLS = {
    "loss": "nonsat",
    "schedule": "k-step",
    "dataset": "ring",
    "seeds": "3/5",
    "final": "12.35 +- 0.46",
    "noise": "0.079",
    "best": "0.001234",
    "images/s": "12,346",
    "G steps/s": "23.5",
    "GFLOP/s": "1.5",
    "of peak": "12.3%",
    "memory": "300 MiB",
    "seconds": "65.4",
    "notes": "2 diverged (step 8, 9)",
}


def test_text_line_by_line():
    lines = FORMATS["text"](table({}, {"loss": "minimax", **UNKNOWN})).splitlines()
    assert lines[0] == "architecture mlp | protocol quick | quality fd[n=50,all]"
    assert lines[1] == (
        "mean over seeds +- 95% t interval; noise: standard error of one evaluation"
    )
    assert lines[2] == ""
    assert lines[3].split() == " ".join(CELLS).split()
    assert lines[4].split() == " ".join(CELLS.values()).split()
    assert lines[5].split() == ["minimax", "k-step", "ring", "0/5", *["-"] * 9]


def test_markdown_cell_by_cell():
    header, row = markdown({})
    assert header == list(CELLS)
    assert row == list(CELLS.values())


def test_markdown_keeps_the_digits_that_were_chosen():
    """12.0 and 2e+05 are not made 12 and 200000 by whoever lays the table out."""
    values = {"final": 200000.0, "best": 100.04, "seconds": 12.0, "final_interval": math.nan}
    header, row = markdown(values)
    cells = dict(zip(header, row, strict=True))
    assert cells["final"] == "2e+05"
    assert cells["best"] == "100"
    assert cells["seconds"] == "12.0"


def test_without_an_interval_the_caption_speaks_of_none():
    lines = FORMATS["text"](table({"final_interval": math.nan, "noise": math.nan})).splitlines()
    assert lines[0] == "architecture mlp | protocol quick | quality fd[n=50,all]"
    assert lines[1] == ""


def test_without_failures_there_is_no_column_for_them():
    header, _ = markdown({"notes": ""})
    assert "notes" not in header


def test_what_differs_is_a_column_and_what_does_not_is_in_the_caption():
    rows = {"architecture": "dcgan"}, {"architecture": "mlp"}
    header, first, second = markdown(*rows)
    assert header[:5] == ["loss", "schedule", "dataset", "architecture", "seeds"]
    assert (first[3], second[3]) == ("dcgan", "mlp")
    caption = FORMATS["text"](table(*rows)).splitlines()[0]
    assert caption == "protocol quick | quality fd[n=50,all]"


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_numbers_of_unequal_settings_are_in_tables_of_their_own(form):
    rows = (
        {"final": 1.5},
        {"final": 2.5, "metric": "fd[n=99,all]"},
        {"final": 3.5, "metric": "kid[n=50,all]"},
        {"final": 4.5},
    )
    blocks = [FORMATS[form](table(row)) for row in ({}, rows[1], rows[2])]
    text = FORMATS[form](table(*rows))
    starts = (
        [text.index(name) for name in ("fd[n=50", "fd[n=99", "kid[n=50")] if form == "text" else []
    )
    assert starts == sorted(starts)
    parts = text.split("quality ")[1:]
    numbers = ["1.5", "4.5"], ["2.5"], ["3.5"]
    assert len(parts) == len(blocks)
    for part, own in zip(parts, numbers, strict=True):
        shown = [n for n in ("1.5", "2.5", "3.5", "4.5") if f"{n} +-" in part or f"{n} $" in part]
        assert shown == own


def test_settings_that_rows_share_are_in_the_caption_and_their_own_in_the_row():
    rows = (
        {"protocol": "quick:beta1=0.0:budget=5kimg"},
        {"protocol": "quick:budget=5kimg"},
        {"protocol": "quick:budget=5kimg:generator_lr=0.1"},
    )
    header, *cells = markdown(*rows)
    place = header.index("protocol")
    assert [row[place] for row in cells] == ["beta1=0.0", "-", r"generator\_lr=0.1"]
    caption = FORMATS["text"](table(*rows)).splitlines()[0]
    assert caption.startswith("architecture mlp | protocol quick:budget=5kimg | quality")


def test_nothing_measured_yet_is_said():
    text = FORMATS["text"](table({**UNKNOWN, "metric": ""}))
    assert text.splitlines()[0].endswith("quality not measured yet")


def test_csv_has_every_column_with_plain_numbers():
    (row,) = csv.DictReader(io.StringIO(FORMATS["csv"](table({}))))
    assert list(row) == list(ROW)
    for name, value in ROW.items():
        if isinstance(value, str):
            assert row[name] == value
        elif math.isnan(value):
            assert row[name] == ""
        else:
            assert float(row[name]) == value


def test_json_has_every_column_with_plain_numbers():
    (row,) = json.loads(FORMATS["json"](table({})))
    assert row == {**ROW, "best_interval": None}


def test_latex_is_a_table_with_its_caption():
    text = FORMATS["latex"](table({}))
    assert r"\begin{table}" in text
    assert r"\caption{architecture mlp | protocol quick | quality fd[n=50,all]; mean over" in text
    assert (
        r"12.35 $\pm$ 0.46 & 0.079 & 0.001234 & 12,346 & 23.5 & 1.5 & 12.3\% & 300 MiB & 65.4"
        in text
    )
    (row,) = [line for line in text.splitlines() if line.startswith("nonsat")]
    assert row.endswith(r"\\")
    assert row.count("&") == len(CELLS) - 1


def test_hostile_names_stay_in_their_markdown_cells():
    header, row = markdown({"loss": "a|b", "dataset": "<b>*x*_y_`z`[l](u)\\", "notes": "&lt;"})
    cells = dict(zip(header, row, strict=True))
    assert cells["loss"] == "a\0b"  # an escaped bar
    assert cells["dataset"] == r"\<b\>\*x\*\_y\_\`z\`\[l\](u)" + "\\\\"
    assert cells["notes"] == r"\&lt;"
    assert len(header) == len(row)


def test_a_line_break_does_not_tear_a_markdown_row():
    header, row = markdown({"dataset": "one\ntwo"})
    assert len(header) == len(row)
    assert dict(zip(header, row, strict=True))["dataset"] == "one two"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a&b", r"a\&b"),
        ("a_b", r"a\_b"),
        ("100%", r"100\%"),
        ("$x$", r"\$x\$"),
        ("#1", r"\#1"),
        ("{a}", r"\{a\}"),
        ("~", r"\textasciitilde{}"),
        ("x^2", r"x\textasciicircum{}2"),
        (r"\input", r"\textbackslash{}input"),
    ],
)
def test_hostile_names_are_text_in_latex(name, written):
    text = FORMATS["latex"](table({"dataset": name}))
    assert f"nonsat & k-step & {written} & 3/5" in text
    caption = FORMATS["latex"](table({"protocol": name}))
    assert f"protocol {written} | quality" in caption


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\n=cmd()"])
def test_a_spreadsheet_gets_no_formula(name):
    text = FORMATS["csv"](table({"loss": name, "final": -1.5}))
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["loss"] == f"'{name}"
    assert row["final"] == "-1.5"


@pytest.mark.parametrize("name", ["a,b", 'say "x"', "one\ntwo", "plain=1"])
def test_any_other_name_survives_csv(name):
    text = FORMATS["csv"](table({"loss": name}))
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["loss"] == name


@pytest.mark.parametrize("form", FORMATS)
def test_what_would_steer_a_terminal_is_written_as_its_code(form):
    hostile = "a\x1b[2J\r\0\x7f\x9b\u202e\u2028"
    labels = dict.fromkeys(("loss", "schedule", "dataset", "architecture", "protocol"), hostile)
    text = FORMATS[form](table({**labels, "metric": hostile, "notes": hostile}))
    assert not set(hostile[1:]).difference("[2J") & set(text)
    assert "1b" in text


def test_a_label_that_is_no_spec_is_shown_as_it_is():
    header, *rows = markdown({"protocol": "two words"}, {"protocol": "quick"})
    assert [row[header.index("protocol")] for row in rows] == ["two words", "quick"]


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_store_is_a_table_without_rows(tmp_path, form):
    Store(tmp_path, create=True)
    text = FORMATS[form](Results(tmp_path).table())
    assert isinstance(text, str)
    assert "nonsat" not in text
