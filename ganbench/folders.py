"""Where ganbench keeps what it fetches and makes, unless it is told; and what `~` stands for."""

import os
from pathlib import Path

from ganbench.errors import BadInput


def user_cache() -> Path:
    """`ganbench` in the user's cache folder.

    Raises:
        BadInput: this user has none.
    """
    named = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(named or Path.home() / ".cache") / "ganbench"
    except RuntimeError:
        raise BadInput(
            "this user has no home folder, where ganbench keeps what it fetches and makes:\n"
            "  name a folder for it in XDG_CACHE_HOME"
        ) from None


def expanded(path: str | Path) -> Path:
    """The path with `~` replaced; BadInput where nobody knows what it stands for."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise BadInput(f"{path} can't be read: {error}") from error
