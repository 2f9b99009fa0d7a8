"""`ganbench table`."""

from pathlib import Path

import click

from ganbench.cli.options import FORMATS, store_option
from ganbench.cli.output import echo


@click.command("table")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="csv and json carry every column with plain numbers.",
)
@click.option(
    "--by",
    default="",
    metavar="COLUMN[,COLUMN]",
    help="Sort by loss, schedule, dataset, architecture or protocol, and put them first.",
)
@click.option(
    "--metric",
    default="",
    help="Another than the headline, such as kid; its whole name where a run has several.",
)
@store_option
def table_command(form: str, by: str, metric: str, store: Path) -> None:
    """Print the table of everything in a store.

    Runs of unequal recipes are never pooled into one row, and numbers of unequal settings are
    never in one column: each metric has a table of its own.

    \b
    Examples:
      ganbench table
      ganbench table --format markdown > results.md
      ganbench table --metric classes_covered
      ganbench table --by dataset,loss --store elsewhere
    """
    from ganbench import tables
    from ganbench.results import Results

    columns = [name.strip() for name in by.split(",") if name.strip()]
    echo(tables.FORMATS[form](Results(store).table(columns, metric)).rstrip("\n"))
