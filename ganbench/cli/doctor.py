"""`ganbench doctor`."""

from pathlib import Path

import click

from ganbench.cli.options import data_folder_option, plugin_options


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
    from ganbench.planning import default_data_folder
    from ganbench.plugins import discover

    for line in diagnose(discover(block, plugin_file), data_folder or default_data_folder()):
        click.echo(line)
