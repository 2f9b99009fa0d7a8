"""The spec grammar, the same on the command line, in files, in tables and in keys.

    entries  =  entry { "," entry }
    entry    =  part { "+" part }
    part     =  name { ":" field "=" value }

A value with one of `, + : "` or a space in it goes in double quotes, within which `""` is one
quote: `images:path="/data/a,b"`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ganbench.errors import BadInput

_PLAIN = re.compile(r"[^,+:\"\s]+")
_NAME = re.compile(r"[^,+:=\"\s]+")
_FIELD = re.compile(r":(?P<key>[^,+:=\"\s]+)=(?P<value>\"(?:[^\"]|\"\")*\"|[^,+:\"\s]*)")


@dataclass(frozen=True)
class Spec:
    """A name and the fields that were given with it, as text."""

    name: str
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return spec_text(self.name, dict(self.fields))


def spec_text(name: str, fields: Mapping[str, str]) -> str:
    """Write a spec: the fields in the order given, values in quotes where they need them."""
    return ":".join([name, *(f"{key}={_quoted(value)}" for key, value in fields.items())])


def parse_entries(text: str) -> list[tuple[Spec, ...]]:
    """Read `a:x=1+b,c` as [(a:x=1, b), (c,)].

    Raises:
        BadInput: it is no spec; the message says where.
    """
    entries: list[tuple[Spec, ...]] = []
    parts: list[Spec] = []
    position = 0
    while True:
        part, position = _part(text, position)
        parts.append(part)
        separator = text[position : position + 1]
        if separator != "+":
            entries.append(tuple(parts))
            parts = []
        if not separator:
            return entries
        if separator not in "+,":
            raise _bad(text, f"'{text[position:]}' after '{part}' is not understood")
        position += 1


def parse_one(text: str) -> Spec:
    """Read exactly one part, such as `quick:budget=20kimg`."""
    entries = parse_entries(text)
    if len(entries) != 1 or len(entries[0]) != 1:
        raise _bad(text, "one name was expected here")
    return entries[0][0]


def _part(text: str, position: int) -> tuple[Spec, int]:
    found = _NAME.match(text, position)
    if not found:
        raise _bad(text, f"a name is missing at '{text[position:]}'" if text else "it is empty")
    name, position = found[0], found.end()
    fields: dict[str, str] = {}
    while found := _FIELD.match(text, position):
        if found["key"] in fields:
            raise _bad(text, f"field '{found['key']}' of '{name}' is given twice")
        fields[found["key"]] = _unquoted(found["value"])
        position = found.end()
    return Spec(name, tuple(fields.items())), position


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else '"' + value.replace('"', '""') + '"'


def _unquoted(value: str) -> str:
    return value[1:-1].replace('""', '"') if value.startswith('"') else value


def _bad(text: str, why: str) -> BadInput:
    return BadInput(
        f"can't read '{text}': {why}.\n"
        "  The form is name:field=value:field=value, `+` between a loss and its penalties,"
        " `,` between entries,\n  as in minimax,nonsat+gp:weight=10"
    )
