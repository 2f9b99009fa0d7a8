"""Options that several commands share."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FORMATS = ("text", "markdown", "csv", "json", "latex")  # of tables.py, which imports pandas
Command = Callable[..., Any]
Callback = Callable[[click.Context, click.Parameter, str | None], float | None]
_BOUND = 2**63  # the operating system counts so far


def _quantity(name: str, units: dict[str, float], example: str) -> Callback:
    """Reads a number with a unit, as the number of the smallest; None stays None."""

    def read(
        _context: click.Context, _parameter: click.Parameter, value: str | None
    ) -> float | None:
        if value is None:
            return None
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]+)", value)
        if not found or found[2] not in units:
            known = ", ".join(units)
            raise click.BadParameter(f"'{value}' is no {name} like {example}; units: {known}.")
        quantity = float(found[1]) * units[found[2]]
        if quantity >= _BOUND:
            raise click.BadParameter(f"'{value}' is no {name} that there can be.")
        return quantity

    return read


duration = _quantity("time", {"s": 1, "m": 60, "h": 3600, "d": 86400}, "90s")
size = _quantity("size", {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}, "800MiB")


def plugin_options(command: Command) -> Command:
    """`-p no:NAME` and `--plugin-file FILE`, handed on as `block` and `plugin_file`."""
    command = click.option(
        "--plugin-file",
        multiple=True,
        metavar="FILE",
        help="Load a Python file with hook implementations as a plugin.",
    )(command)
    return click.option(
        "-p",
        "block",
        multiple=True,
        metavar="no:NAME",
        callback=_blocked,
        help="Leave the plugin NAME out, before it is imported.",
    )(command)


def _blocked(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for value in values:
        if not value.startswith("no:"):
            raise click.BadParameter(f"'{value}' is not of the form no:NAME.")
    return tuple(value.removeprefix("no:") for value in values)


data_folder_option = click.option(
    "--data-folder",
    type=Path,
    help="Where data sets lie [$GANBENCH_DATA, else ~/.cache/ganbench/data].",
)

store_option = click.option(
    "--store",
    type=Path,
    default=Path("results"),
    show_default=True,
    help="The results folder.",
)
