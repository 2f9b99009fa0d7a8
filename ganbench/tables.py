"""The table as text, Markdown, CSV, JSON or LaTeX."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import pandas as pd

from ganbench.errors import BadInput
from ganbench.printable import printable
from ganbench.rows import LABELS
from ganbench.specs import Spec, parse_one, spec_text

_ALWAYS_SHOWN = ("loss", "schedule", "dataset")


def _text(shown: pd.DataFrame, caption: str) -> str:
    return f"{caption}\n\n{shown.map(_shown).to_string(index=False)}"


def _markdown(shown: pd.DataFrame, caption: str) -> str:
    escaped = shown.map(_escaped_for_markdown)
    rows = escaped.to_markdown(index=False, disable_numparse=True)
    return f"{_escaped_for_markdown(caption)}\n\n{rows}"


def _latex(shown: pd.DataFrame, caption: str) -> str:
    escaped = shown.map(_escaped_for_latex)
    escaped.columns = escaped.columns.map(_escaped_for_latex)
    return escaped.to_latex(index=False, caption=_escaped_for_latex(caption.replace("\n", "; ")))


def _csv(table: pd.DataFrame) -> str:
    return table.map(_safe_in_a_spreadsheet).to_csv(index=False)


def _json(table: pd.DataFrame) -> str:
    text = table.map(_encodable).to_json(orient="records", indent=1, double_precision=15)
    return str(text).replace("\x7f", r"\u007f")  # of all controls it alone is left as it is


def _in_blocks(write: Callable[[pd.DataFrame, str], str], table: pd.DataFrame) -> str:
    """A table for each metric: numbers of unequal settings are never in one column."""
    return "\n\n".join(write(*_readable(rows)).rstrip("\n") for rows in _by_metric(table))


# Few columns and a caption, for people; every column with plain numbers, for programs.
_WRITTEN = {"text": _text, "markdown": _markdown, "latex": _latex}
_PLAIN = {"csv": _csv, "json": _json}
FORMATS: Mapping[str, Callable[[pd.DataFrame], str]] = {
    **{form: partial(_in_blocks, write) for form, write in _WRITTEN.items()},
    **_PLAIN,
}


def scores_as(form: str, sets: Iterable[tuple[str, pd.DataFrame]]) -> Iterator[str]:
    """The scores of sets of samples, each with what was compared, in one of FORMATS.

    One document for programs; for people a table for each set, as soon as there is one.
    """
    if form in _PLAIN:
        frames = [scores.assign(compared=caption) for caption, scores in sets]
        yield _PLAIN[form](pd.concat(frames, ignore_index=True)).rstrip("\n")
        return
    for place, each in enumerate(sets):
        yield "\n" * bool(place) + _scores(_WRITTEN[form], *each)


def _scores(write: Callable[[pd.DataFrame, str], str], caption: str, scores: pd.DataFrame) -> str:
    numbers = {n: scores[n].map(lambda v: _known(v, f"{v:.6g}")) for n in ("value", "noise")}
    return write(scores.assign(**numbers), caption).rstrip("\n")


def _by_metric(table: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each metric, settings and all, on each data set; else one empty table."""
    groups = [rows for _, rows in table.groupby(["dataset", "metric"], sort=False)]
    return groups or [table]


def _readable(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Few columns with units in their names, and a caption of what is the same in all rows."""
    columns: dict[str, object] = {}
    same: list[str] = []
    for label in [name for name in table.columns if name in LABELS]:
        if label in _ALWAYS_SHOWN:
            columns[label] = table[label]
            continue
        shared, own = _shared_fields(list(table[label]))
        if shared:
            same.append(printable(f"{label} {shared}"))
        if any(own):
            columns[label] = [fields or "-" for fields in own]
    columns["seeds"] = table["finished"].astype(str) + "/" + table["planned"].astype(str)
    same.append(printable(f"quality {next(iter(table['metric']), '') or 'not measured yet'}"))
    columns |= {
        "final": _with_interval(table, "final"),
        "noise": table["noise"].map(lambda noise: _known(noise, f"{noise:.2g}")),
        "best": _with_interval(table, "best"),
        "images/s": table["images_per_second"].map(_count),
        "G steps/s": table["generator_steps_per_second"].map(_count),
        "GFLOP/s": (table["flops_per_second"] / 1e9).map(_count),
        "of peak": table["peak_share"].map(lambda share: _known(share, f"{share:.1%}")),
        "memory": (table["peak_memory_bytes"] / 2**20).map(lambda m: _known(m, f"{m:.0f} MiB")),
        "seconds": table["seconds"].map(lambda s: _known(s, f"{s:.1f}")),
    }
    if (table["notes"] != "").any():
        columns["notes"] = table["notes"]
    caption = " | ".join(same)
    return pd.DataFrame(columns), "\n".join(filter(None, [caption, _legend(table)]))


def _legend(table: pd.DataFrame) -> str:
    """What the numbers beside the values are, where there are any."""
    legend = {
        "mean over seeds +- 95% t interval": table["final_interval"],
        "noise: standard error of one evaluation": table["noise"],
    }
    return "; ".join(text for text, numbers in legend.items() if numbers.notna().any())


def _shared_fields(specs: Sequence[str]) -> tuple[str, list[str]]:
    """What specs of one name have in common, as a spec, and what each has besides."""
    try:
        parsed = [parse_one(spec) for spec in specs]
    except BadInput:  # a store may hold any text
        return "", list(specs)
    if len({spec.name for spec in parsed}) != 1:
        return "", list(specs)
    common = set.intersection(*(set(spec.fields) for spec in parsed))
    shared = Spec(parsed[0].name, tuple(f for f in parsed[0].fields if f in common))
    own = [{k: v for k, v in spec.fields if (k, v) not in common} for spec in parsed]
    return str(shared), [spec_text("", fields).removeprefix(":") for fields in own]


def _with_interval(table: pd.DataFrame, name: str) -> list[str]:
    pairs = zip(table[name], table[f"{name}_interval"], strict=True)
    return [
        _known(mean, f"{mean:.4g}") + ("" if math.isnan(half) else f" +- {half:.2g}")
        for mean, half in pairs
    ]


def _count(rate: float) -> str:
    return _known(rate, f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}")


def _known(value: float, text: str) -> str:
    return "-" if math.isnan(value) else text


def _shown(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _encodable(value: object) -> object:
    """Text in which halves of characters, which can't be written, are codes."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _escaped_for_markdown(value: object) -> str:
    text = printable(" ".join(str(value).splitlines()))
    for mark in "\\&|<>`*_[]":
        text = text.replace(mark, f"\\{mark}")
    return text


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def _escaped_for_latex(value: object) -> str:
    text = printable(str(value))
    return "".join(_LATEX.get(mark, mark) for mark in text).replace("+-", r"$\pm$")


def _safe_in_a_spreadsheet(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets a quote in front."""
    if not isinstance(value, str):
        return value
    text = printable(value, lines=True)
    return f"'{text}" if text[:1] in tuple("=+-@\t\n") else text
