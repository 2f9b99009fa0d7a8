"""Which parts can work together: all that is refused before any training."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from ganbench.catalogue import code_of
from ganbench.choices import Choice
from ganbench.components import Architecture
from ganbench.data import Data
from ganbench.errors import PluginBroken, Unsupported
from ganbench.experiment import Experiment
from ganbench.objective import acts_as_penalty, acts_at_all


def check_parts(experiment: Experiment, data: Data) -> None:
    """Refuse, before any training, parts that can't work together.

    Raises:
        Unsupported: it says which part, and what it would take.
    """
    architecture: Architecture = experiment.architecture.create()
    with code_of(experiment.architecture.component):
        architecture.check(data.shape)
    for addition in experiment.objective.additions:
        if not acts_at_all(addition.component.cls):
            raise PluginBroken(
                f"penalty '{addition.component.name}' of plugin {addition.component.origin} has"
                " none of the methods that `+` could add; see ganbench/components.py"
            )
    for part in experiment.objective.parts:
        _check_part(part, data)
        for need in _NEEDS_OF_DISCRIMINATORS:
            if part.declares(need.fact) and not need.met(architecture):
                raise Unsupported(
                    f"'{part.short}' needs {need.what}, and that of"
                    f" '{experiment.architecture.short}' {need.instead}.\n"
                    f"  Use one {need.remedy}: see the fields of `ganbench show"
                    f" {experiment.architecture.component.name}`, and `ganbench list"
                    " architectures`."
                )
    _check_order_of_logits(experiment)
    if experiment.settings.horizontal_flip and not data.is_images:
        raise Unsupported("horizontal_flip mirrors images, and the data are points")


def _check_part(part: Choice, data: Data) -> None:
    """Create it, and let it look at the data where it wants to."""
    with code_of(part.component):
        created = part.create()
        if isinstance(created, nn.Module) and not hasattr(created, "_buffers"):
            raise PluginBroken(
                f"{part.component.kind.name} '{part.component.name}' of plugin"
                f" {part.component.origin} is an nn.Module whose __post_init__ has to call"
                " super().__init__()"
            )
        check = getattr(created, "check", None)
        if check is not None:
            check(data.shape)


class _Need(NamedTuple):
    """What a part of an objective may declare that it needs of D."""

    fact: str
    met: Callable[[Architecture], bool]
    what: str
    instead: str
    remedy: str


_NEEDS_OF_DISCRIMINATORS = (
    _Need(
        "per_sample_discriminator",
        lambda architecture: not architecture.discriminator_mixes_samples,
        "a discriminator that treats each image by itself",
        "mixes the images of a batch (batch norm)",
        "without",
    ),
    _Need(
        "needs_autoencoder",
        lambda architecture: getattr(architecture, "discriminator_is_autoencoder", False),
        "an auto-encoding discriminator",
        "returns plain logits",
        "that reconstructs",
    ),
    _Need(
        "uses_embeddings",
        lambda architecture: getattr(architecture, "discriminator_embeds", False),
        "the discriminator's embeddings",
        "offers none",
        "with a method `embed`",
    ),
)


def _check_order_of_logits(experiment: Experiment) -> None:
    """Some losses need all logits in their order; others leave D's last layer untrained."""
    loss = experiment.objective.loss
    embeds = loss.declares("uses_embeddings")
    for part in experiment.objective.additions:
        cls = part.component.cls
        if hasattr(cls, "select") and loss.declares("pairs_samples"):
            raise Unsupported(
                f"'{part.short}' leaves out fakes, and '{loss.short}' compares the i-th fake with"
                " the i-th real sample"
            )
        on_logits = acts_as_penalty(cls) or hasattr(cls, "latent_term") or hasattr(cls, "select")
        if embeds and on_logits and not part.declares("uses_embeddings"):
            raise Unsupported(
                f"'{part.short}' is made of D's logits, and '{loss.short}' uses D's embeddings"
                " and never trains the layer that makes logits of them"
            )
    if embeds and hasattr(experiment.schedule.component.cls, "accepts"):
        raise Unsupported(
            f"schedule '{experiment.schedule.short}' judges D by its logits, and '{loss.short}'"
            " uses D's embeddings"
        )
