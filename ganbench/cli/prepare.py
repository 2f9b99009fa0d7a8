"""`ganbench prepare`."""

from pathlib import Path

import click

from ganbench.cli.options import data_folder_option, plugin_options


@click.command("prepare")
@click.argument("dataset", metavar="DATASET")
@data_folder_option
@plugin_options
def prepare_command(
    dataset: str, data_folder: Path | None, block: tuple[str, ...], plugin_file: tuple[str, ...]
) -> None:
    """Fetch a data set and check that it can be read.

    \b
    Examples:
      ganbench prepare mnist
      ganbench prepare images:path=photos.zip:size=64
    """
    from ganbench.catalogue import DATASET
    from ganbench.choices import choose
    from ganbench.planning import load
    from ganbench.plugins import discover
    from ganbench.request import default_data_folder
    from ganbench.specs import parse_one

    choice = choose(discover(block, plugin_file), DATASET, parse_one(dataset))
    data = load(choice, data_folder or default_data_folder(), download=True)
    shape = " x ".join(map(str, data.shape))
    click.echo(f"{choice.short} is ready: {len(data):,} samples of {shape} ({data.split})")
