"""What a user is told: what was asked, what exists, what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches

_LINE = 300  # characters


class GanbenchError(Exception):
    """Something a user can mend. The command line prints it and exits with 2."""


class BadInput(GanbenchError):
    """A value that can't be used: a wrong type, out of range, or not fitting the rest."""


class NotPrepared(GanbenchError):
    """Data or weights that have to be fetched or made first.

    Args:
        what: what is missing and where it was looked for; the core adds the command to run.
    """


class Unsupported(GanbenchError):
    """Parts that can't work together, such as a network that can't make the data's shape."""


class StoreError(GanbenchError):
    """A results folder that can't be read or written."""


class PluginBroken(GanbenchError):
    """Something was asked of a plugin that could not be loaded.

    Args:
        plugin: which one, as its `Origin` is written.
    """

    def __init__(self, message: str, plugin: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin


class ContractBroken(Exception):
    """A component returned what its contract does not allow; `part` is its class.

    No mistake of the user's: the run ends as `plugin_error`.
    """

    def __init__(self, part: type, message: str) -> None:
        super().__init__(f"{part.__name__} {message}")
        self.part = part


def in_a_line(error: BaseException) -> str:
    """The type of an exception and what it says, as far as that goes on one line."""
    try:
        said = str(error).strip().partition("\n")[0]
    except Exception as second:  # a plugin's exception can fail at that too
        said = f"(no message: its `__str__` raises {type(second).__name__})"
    return f"{type(error).__name__}: {said}"[:_LINE].rstrip(": ")


def unknown(what: str, name: str, known: Iterable[str], hint: str = "") -> BadInput:
    """Say that no `what` is called `name`, which ones exist, and the nearest of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    lines = [f"no {what} is called '{name}'.{guess}", f"  Known: {', '.join(names) or 'none'}"]
    return BadInput("\n".join([*lines, f"  {hint}"] if hint else lines))
