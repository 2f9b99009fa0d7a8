import socket
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import pytest

from ganbench.api import NotPrepared
from ganbench_plugins.datasets.downloads import fetching


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (URLError("no route to host"), "<urlopen error no route to host>"),
        (RuntimeError("File not found or corrupted."), "File not found or corrupted."),
        (IncompleteRead(b"abc", 4), "IncompleteRead(3 bytes read, 4 more expected)"),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError("two\nlines"), "two lines"),
    ],
)
def test_a_failure_says_what_from_where_why_and_what_to_do(error, reason):
    with (
        pytest.raises(NotPrepared) as caught,
        fetching("A", "https://example.org/a.gz", "a.gz", Path("/data")),
    ):
        raise error
    assert str(caught.value) == (
        "A could not be fetched from https://example.org/a.gz\n"
        f"  Because: {reason}\n"
        "  Without a network, put a.gz, as published or unpacked, into /data\n"
        "  and prepare again: what is there and whole is not fetched."
    )


def test_the_timeout_holds_only_within():
    before = socket.getdefaulttimeout()
    with fetching("A", "url", "file", Path("/data")):
        assert socket.getdefaulttimeout() == 60.0
    assert socket.getdefaulttimeout() == before


def test_a_bug_stays_a_bug():
    with pytest.raises(ZeroDivisionError), fetching("A", "url", "file", Path("/data")):
        _ = 1 / 0
