import sys
import unicodedata

import pytest

from ganbench.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\x00b\x07\x08\x7f", r"a\x00b\x07\x08\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("evil\u202egnp.exe", r"evil\u202egnp.exe"),
        ("\u2066\u2069\u200f", r"\u2066\u2069\u200f"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("nonsat\u200b", r"nonsat\u200b"),
        ("\udc80", r"\udc80"),
        ("\U000e0041", r"\U000e0041"),
        ("one\r\ntwo\tthree", r"one\r\ntwo\tthree"),
        ("\x0b\x0c", r"\x0b\x0c"),
    ],
)
def test_what_steers_or_misleads_is_written_as_its_code(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsat+gp:weight=10", r"C:\x", "Größe", "e\u0301", "a\xa0b", "日本語", "עברית",
        "م\u200cی", "👩\u200d🔬",
    ],
)  # fmt: skip
def test_ordinary_text_stays(text):
    assert printable(text) == text


def test_line_breaks_and_tabs_stay_where_lines_are_kept():
    assert printable("one\n\ttwo\r\n\x1b", lines=True) == "one\n\ttwo\\r\n\\x1b"


def test_no_control_and_nothing_that_reorders_is_left_out():
    """Against Python's own tables of Unicode: controls, separators, bidirectional marks."""
    for code in range(sys.maxunicode + 1):
        mark = chr(code)
        steers = unicodedata.category(mark) in {"Cc", "Cs", "Zl", "Zp"}
        reorders = unicodedata.bidirectional(mark) in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip
        if steers or reorders:
            assert printable(mark).isascii()
