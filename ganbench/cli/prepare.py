"""`ganbench prepare`."""

from pathlib import Path

import click

from ganbench.cli.options import data_folder_option, plugin_options
from ganbench.cli.output import echo


@click.command("prepare")
@click.argument("name", metavar="NAME")
@data_folder_option
@plugin_options
def prepare_command(
    name: str, data_folder: Path | None, block: tuple[str, ...], plugin_file: tuple[str, ...]
) -> None:
    """Fetch a data set, or the weights of an extractor, and see that it works.

    \b
    Examples:
      ganbench prepare mnist
      ganbench prepare images:path=photos.zip:size=64
      ganbench prepare inception
      ganbench prepare torchscript:path=network.pt
    """
    from ganbench.plugins import discover
    from ganbench.preparation import prepare
    from ganbench.request import default_data_folder

    catalogue = discover(block, plugin_file)
    echo(prepare(catalogue, name, data_folder or default_data_folder()))
