"""What every command prints with: no text from elsewhere reaches a terminal as it is."""

import click

from ganbench.printable import printable


def echo(text: str = "", *, err: bool = False) -> None:
    """Print text of one or several lines."""
    click.echo(printable(text, lines=True), err=err)


def escape(text: str) -> str:
    """Text for a rich console, in which nothing is markup."""
    from rich.markup import escape

    return escape(printable(text, lines=True))
