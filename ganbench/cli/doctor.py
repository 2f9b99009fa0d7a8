"""`ganbench doctor`."""

from pathlib import Path

import click

from ganbench.cli.options import data_folder_option, plugin_options
from ganbench.cli.output import echo


@click.command("doctor")
@data_folder_option
@plugin_options
def doctor_command(
    data_folder: Path | None, block: tuple[str, ...], plugin_file: tuple[str, ...]
) -> None:
    """Say what this machine has: torch, devices and their speed, plugins, data and weights.

    \b
    Examples:
      ganbench doctor
    """
    from ganbench.diagnosis import diagnose
    from ganbench.plugins import discover
    from ganbench.request import default_data_folder

    for line in diagnose(discover(block, plugin_file), data_folder or default_data_folder()):
        echo(line)
