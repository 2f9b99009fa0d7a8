"""From an experiment's recipe to a game that can be played."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from torch import nn

from ganbench.averaging import MovingAverage
from ganbench.batches import Batches, resident
from ganbench.choices import Choice
from ganbench.components import Addition, Architecture, Loss, Metric, Samples
from ganbench.data import Data
from ganbench.errors import ContractBroken, PluginBroken, Unsupported
from ganbench.evaluation import evaluating
from ganbench.experiment import Experiment
from ganbench.objective import Objective, acts_at_all
from ganbench.optimizers import optimizer
from ganbench.plugins import code_of
from ganbench.protocol import TrainingProtocol
from ganbench.randomness import LatentSpace, Streams, seeded_globally, stream, stream_seed
from ganbench.training import Game, Player


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
        with code_of(part.component):
            check = getattr(part.create(), "check", None)
            if check is not None:
                check(data.shape)
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
    """Some parts choose among the fakes' logits; others have none, or need all in their order."""
    loss = experiment.objective.loss
    embeds = loss.declares("uses_embeddings")
    for part in experiment.objective.additions:
        if hasattr(part.component.cls, "select") and (embeds or loss.declares("pairs_samples")):
            why = "uses D's embeddings" if embeds else "compares the i-th fake with the i-th real"
            raise Unsupported(f"'{part.short}' leaves out fakes, and '{loss.short}' {why}")
    if embeds and hasattr(experiment.schedule.component.cls, "accepts"):
        raise Unsupported(
            f"schedule '{experiment.schedule.short}' judges D by its logits, and '{loss.short}'"
            " uses D's embeddings"
        )


def checked_metrics(metrics: Sequence[Choice], data: Data) -> list[Metric]:
    """Create the metrics and show them the data.

    Raises:
        Unsupported: one can't score this data.
        NotPrepared: one lacks its weights.
    """
    created: list[Metric] = []
    for choice in metrics:
        with code_of(choice.component):
            metric: Metric = choice.create()
            metric.check(data)
        created.append(metric)
    return created


def assemble(experiment: Experiment, data: Data, device: torch.device) -> Game:
    """Build networks, optimizers and streams; the same for the same seed, whatever the loss.

    Leaves torch's global generators at the start of the run's stream for its networks.
    """
    seed, settings = experiment.seed, experiment.settings
    architecture: Architecture = experiment.architecture.create()
    with seeded_globally(seed, "init"):
        generator, discriminator = architecture.build(data.shape)
        _check_shapes(architecture, generator, discriminator, data)
    # What networks draw while they train (dropout) is the seed's too, on every device.
    torch.manual_seed(stream_seed(seed, "networks"))
    samples = resident(data, device)
    generator, discriminator = generator.to(device), discriminator.to(device)
    return Game(
        generator=Player(generator, optimizer(generator, settings.generator_lr, settings)),
        discriminator=Player(
            discriminator, optimizer(discriminator, settings.discriminator_lr, settings)
        ),
        objective=_objective(experiment, device),
        streams=Streams(seed, latent_space(experiment), device),
        batch_size=settings.batch_size,
        batches=_batches("data", samples, experiment, device),
        generator_batches=_batches("data/generator", samples, experiment, device),
        average=_average(generator, settings),
    )


def latent_space(experiment: Experiment) -> LatentSpace:
    """Where the experiment's latents come from: the architecture's size, the protocol's law."""
    architecture: Architecture = experiment.architecture.create()
    return LatentSpace(architecture.latent_size, experiment.settings.latents)


def _batches(name: str, samples: Samples, experiment: Experiment, device: torch.device) -> Batches:
    def drawn(what: str) -> torch.Generator:
        return stream(experiment.seed, what, torch.device("cpu"))

    settings = experiment.settings
    flips = drawn(f"{name}/flips") if settings.horizontal_flip and samples.dim() == 4 else None
    return Batches(samples, settings.batch_size, device, drawn(name), flips)


def _average(generator: nn.Module, settings: TrainingProtocol) -> MovingAverage | None:
    if not settings.ema_half_life_kimg:
        return None
    return MovingAverage(generator, settings.ema_half_life_kimg, settings.ema_burn_in_kimg)


def _check_shapes(
    architecture: Architecture, generator: nn.Module, discriminator: nn.Module, data: Data
) -> None:
    """Logits of another shape would broadcast in a loss, to wrong numbers without an error."""
    with evaluating(generator), evaluating(discriminator), torch.no_grad():
        images = generator(torch.zeros(2, architecture.latent_size))
        logits = discriminator(images)
    for what, found, expected in (
        ("G has to make", images.shape, (2, *data.shape)),
        ("D has to return", logits.shape, (2,)),
    ):
        if tuple(found) != expected:
            message = f"{what} {list(expected)} from 2 latents; it made {list(found)}"
            raise ContractBroken(type(architecture), message)


def _objective(experiment: Experiment, device: torch.device) -> Objective:
    def created(part: object) -> object:
        return part.to(device) if isinstance(part, nn.Module) else part

    loss, *additions = (created(part.create()) for part in experiment.objective.parts)
    return Objective(cast("Loss", loss), cast("list[Addition]", additions))
