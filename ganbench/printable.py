"""Text that comes from plugins, files and the network, made fit to be shown."""

import re

# Controls, of which a terminal takes some for commands; marks that reorder what stands beside
# them or can't be seen; other separators of lines; and halves of characters, which can't be
# written. Joiners (U+200C, U+200D) stay: Persian and emoji need them.
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str, *, lines: bool = False) -> str:
    r"""Write what would steer a terminal or mislead a reader as its code: ESC as `\x1b`.

    Args:
        lines: keep line breaks and tabs.
    """
    return _HIDDEN.sub(_kept if lines else _escaped, text)


def _kept(found: re.Match[str]) -> str:
    return found[0] if found[0] in "\n\t" else _escaped(found)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    long = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return _SHORT.get(found[0], long if code < 0x10000 else f"\\U{code:08x}")
