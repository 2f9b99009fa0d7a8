import pytest

from ganbench.errors import BadInput, in_a_line, unknown


@pytest.mark.parametrize(
    ("name", "known", "hint", "message"),
    [
        (
            "wgan_gp",
            ["wgan-gp", "hinge"],
            "See them.",
            "no loss is called 'wgan_gp'. Did you mean 'wgan-gp'?\n  Known: hinge, wgan-gp\n"
            "  See them.",
        ),
        ("xyz", ["hinge"], "", "no loss is called 'xyz'.\n  Known: hinge"),
        ("xyz", [], "", "no loss is called 'xyz'.\n  Known: none"),
    ],
)
def test_unknown_says_what_exists_and_what_is_nearest(name, known, hint, message):
    error = unknown("loss", name, known, hint)
    assert isinstance(error, BadInput)
    assert str(error) == message


class Mute(Exception):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (KeyError("a:"), "KeyError: 'a:'"),
        (ValueError(), "ValueError"),
        (RuntimeError("\nfirst\nsecond"), "RuntimeError: first"),
        (OSError("x" * 2**20), "OSError: " + "x" * 291),
        (SystemExit(3), "SystemExit: 3"),
        (Mute(), "Mute: (no message: its `__str__` raises ValueError)"),
    ],
)
def test_any_exception_is_one_line(error, line):
    assert in_a_line(error) == line
