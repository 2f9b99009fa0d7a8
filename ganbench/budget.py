"""How long a run trains, on one of five clocks."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ganbench.errors import BadInput

_FORM = re.compile(r"(?P<amount>\d+(?:\.\d+)?(?:[eE]\+?\d+)?)(?P<unit>[a-z]*)")


@dataclass
class Clock:
    """What one run has spent so far.

    Evaluations are not in `seconds`. `flops` counts multiplications and additions apart.
    """

    generator_steps: int = 0
    discriminator_steps: int = 0
    images: int = 0  # real images shown to D
    flops: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Budget:
    """An amount of one unit; the run ends with the first whole round that reaches it.

    Args:
        amount: how much of the unit, above 0.
        unit: one of `Budget.UNITS`.
    """

    UNITS: ClassVar[dict[str, str]] = {
        "kimg": "thousand real images shown to D",
        "gsteps": "generator steps",
        "dsteps": "discriminator steps",
        "flop": "floating-point operations, counted once per cell",
        "s": "seconds of training",
    }

    amount: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """Read `200kimg`, `2000gsteps`, `5000dsteps`, `3e15flop` or `60s`."""
        found = _FORM.fullmatch(text)
        if not found or not found["unit"] or not 0 < float(found["amount"]) < math.inf:
            raise _bad(text, "it needs a number above 0 and a unit")
        if found["unit"] not in cls.UNITS:
            raise _bad(text, f"no unit is called '{found['unit']}'")
        return cls(float(found["amount"]), found["unit"])

    def share_spent(self, clock: Clock) -> float:
        """From 0 at the start to 1 and beyond at the end."""
        spent = {
            "kimg": clock.images / 1000,
            "gsteps": clock.generator_steps,
            "dsteps": clock.discriminator_steps,
            "flop": clock.flops,
            "s": clock.seconds,
        }
        return spent[self.unit] / self.amount

    def seconds_at(self, rates: Mapping[str, float]) -> float:
        """How long it lasts at the rates that `timing.measure` returns; NaN if for ever."""
        per_second = {
            "kimg": rates["images_per_second"] / 1000,
            "gsteps": rates["generator_steps_per_second"],
            "dsteps": rates["discriminator_steps_per_second"],
            "flop": rates["flops_per_second"],
            "s": 1.0,
        }
        rate = per_second[self.unit]
        return self.amount / rate if rate else math.nan

    def __str__(self) -> str:
        return f"{self.amount:.15g}{self.unit}"


def _bad(text: str, why: str) -> BadInput:
    units = "".join(f"\n    {unit:7}{meaning}" for unit, meaning in Budget.UNITS.items())
    return BadInput(f"budget '{text}': {why}, as in 200kimg.\n  Units:{units}")
