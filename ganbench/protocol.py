"""The fixed part of the harness, as named, versioned presets.

What stands here is the same for every loss of a study. `--protocol quick:batch_size=32` settles
single fields; every field is in the run's recipe and so in its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt

from ganbench.budget import Budget
from ganbench.choices import as_text, settle
from ganbench.errors import unknown
from ganbench.specs import Spec, spec_text


@dataclass(frozen=True)
class Settings:
    """What a protocol fixes.

    Args:
        budget: how long to train, as `Budget.parse` reads it.
        batch_size: real images, and fakes, in a step.
        generator_lr: Adam's learning rate for G.
        discriminator_lr: Adam's learning rate for D.
        beta1: Adam's decay of the first moment, for both.
        beta2: Adam's decay of the second moment, for both.
        evaluations: evaluations after the untrained one, evenly over the budget, the last at
            its end.
        evaluation_samples: fakes in each evaluation.
    """

    budget: str
    batch_size: Annotated[int, Ge(1)]
    generator_lr: Annotated[float, Gt(0)]
    discriminator_lr: Annotated[float, Gt(0)]
    beta1: Annotated[float, Ge(0), Lt(1)]
    beta2: Annotated[float, Ge(0), Lt(1)]
    evaluations: Annotated[int, Ge(1), Le(10_000)]
    evaluation_samples: Annotated[int, Ge(2)]

    def __post_init__(self) -> None:
        Budget.parse(self.budget)


@dataclass(frozen=True)
class Protocol:
    """A named preset, its version, and its settings, some of them perhaps settled by the user."""

    name: str
    version: int
    settings: Settings
    source: str

    @property
    def budget(self) -> Budget:
        return Budget.parse(self.settings.budget)

    @property
    def text(self) -> str:
        """The canonical spec: all fields, sorted."""
        return spec_text(self.name, dict(sorted(_texts(self.settings).items())))

    @property
    def short(self) -> str:
        """The spec with only the fields that differ from the preset's."""
        preset = _texts(PROTOCOLS[self.name].settings)
        changed = {n: t for n, t in sorted(_texts(self.settings).items()) if t != preset[n]}
        return spec_text(self.name, changed)

    def recipe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "fields": _texts(self.settings),
            "text": self.text,
            "short": self.short,
        }


def _texts(settings: Settings) -> dict[str, str]:
    return {name: as_text(value) for name, value in vars(settings).items()}


PROTOCOLS: Mapping[str, Protocol] = {
    "quick": Protocol(
        name="quick",
        version=1,
        settings=Settings(
            budget="80kimg",
            batch_size=64,
            generator_lr=5e-4,
            discriminator_lr=5e-4,
            beta1=0.5,
            beta2=0.999,
            evaluations=10,
            evaluation_samples=2000,
        ),
        source="DCGAN's optimizer (Radford et al., 2015), a budget of seconds on a CPU core",
    ),
}


def choose_protocol(spec: Spec) -> Protocol:
    """Look a preset up and settle the fields that were given.

    Raises:
        BadInput: there is no such preset or field, or a value is of the wrong type or range.
    """
    if spec.name not in PROTOCOLS:
        raise unknown("protocol", spec.name, PROTOCOLS)
    preset = PROTOCOLS[spec.name]
    given = {**_texts(preset.settings), **dict(spec.fields)}
    values = settle(Settings, f"protocol '{spec.name}'", given)
    budget = str(Budget.parse(values["budget"]))  # 80.0kimg is 80kimg
    return replace(preset, settings=Settings(**{**values, "budget": budget}))
