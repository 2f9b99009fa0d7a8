import pytest

from ganbench.errors import BadInput, unknown


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
