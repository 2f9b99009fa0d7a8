"""What a user reads when files can't be fetched."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from ganbench.api import NotPrepared

_SILENCE_SECONDS = 60.0  # torchvision sets no timeout and would wait for ever


@contextmanager
def fetching(what: str, url: str, files: str, folder: Path) -> Iterator[None]:
    """Within, a failure to fetch `what` becomes a NotPrepared: put `files` into `folder`."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SILENCE_SECONDS)
    try:
        yield
    except (OSError, RuntimeError, HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise NotPrepared(
            f"{what} could not be fetched from {url}\n"
            f"  Because: {reason}\n"
            f"  Without a network, put {files}, as published or unpacked, into {folder}\n"
            "  and prepare again: what is there and whole is not fetched."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
