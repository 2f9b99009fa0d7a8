"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FORMATS = ("text", "markdown", "csv", "json", "latex")  # of tables.py, which imports pandas
Command = Callable[..., Any]


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
