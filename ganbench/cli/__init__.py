"""The command line: parse, call, print. What a command does is elsewhere.

Commands import what they need when they run, so that `--help` and `list` stay light.
"""

import signal
import sys
import warnings
from io import StringIO

import click

from ganbench import __version__
from ganbench.cli.catalogue import list_command, plugins_command, show_command
from ganbench.cli.doctor import doctor_command
from ganbench.cli.evaluate import evaluate_command
from ganbench.cli.output import echo
from ganbench.cli.prepare import prepare_command
from ganbench.cli.run import run_command
from ganbench.cli.store import store_group
from ganbench.cli.table import table_command
from ganbench.errors import GanbenchError
from ganbench.printable import printable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganbench")
def cli() -> None:
    """Train every GAN loss in one fixed harness; tabulate quality and speed.

    \b
    Examples:
      ganbench run --losses minimax,nonsat
      ganbench list losses
      ganbench table --format markdown
    """


for command in (
    run_command,
    table_command,
    store_group,
    evaluate_command,
    list_command,
    show_command,
    plugins_command,
    prepare_command,
    doctor_command,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; what a user can mend is one message and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    warnings.formatwarning = lambda text, *_: f"Warning: {printable(str(text), lines=True)}\n"
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        told = StringIO()
        error.show(told)
        echo(told.getvalue().rstrip("\n"), err=True)
        sys.exit(error.exit_code)
    except GanbenchError as error:
        echo(f"Error: {error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
