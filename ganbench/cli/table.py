"""`ganbench table`."""

from pathlib import Path

import click

from ganbench.cli.options import store_option

_FORMATS = ("text", "markdown", "csv", "json", "latex")


@click.command("table")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
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
@store_option
def table_command(form: str, by: str, store: Path) -> None:
    """Print the table of everything in a store.

    Runs of unequal recipes are never pooled into one row.

    \b
    Examples:
      ganbench table
      ganbench table --format markdown > results.md
      ganbench table --by dataset,loss --store elsewhere
    """
    from ganbench.results import Results
    from ganbench.tables import FORMATS

    columns = [name.strip() for name in by.split(",") if name.strip()]
    click.echo(FORMATS[form](Results(store).table(columns)).rstrip("\n"))
