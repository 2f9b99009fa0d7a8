"""From an experiment's recipe to a game that can be played."""

from collections.abc import Sequence

import torch
from torch import nn

from ganbench.batches import batches, resident
from ganbench.choices import Choice
from ganbench.components import Architecture, Metric, Penalty
from ganbench.data import Data
from ganbench.errors import ContractBroken, Unsupported
from ganbench.evaluation import evaluating
from ganbench.experiment import Experiment
from ganbench.objective import Objective
from ganbench.plugins import code_of
from ganbench.protocol import Settings
from ganbench.randomness import Streams, seeded_globally, stream, stream_seed
from ganbench.training import Game, Player


def check_parts(experiment: Experiment, data: Data) -> None:
    """Refuse, before any training, parts that can't work together.

    Raises:
        Unsupported: it says which part, and what it would take.
    """
    architecture: Architecture = experiment.architecture.create()
    with code_of(experiment.architecture.component):
        architecture.check(data.shape)
    for part in experiment.objective.parts:
        needs = getattr(part.component.cls, "per_sample_discriminator", False)
        if needs and architecture.discriminator_mixes_samples:
            raise Unsupported(
                f"'{part.short}' needs a discriminator that treats each image by itself, and that"
                f" of '{experiment.architecture.short}' mixes the images of a batch (batch norm).\n"
                f"  Use one without: see the fields of `ganbench show"
                f" {experiment.architecture.component.name}`."
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
    seed, settings = experiment.seed, experiment.protocol.settings
    architecture: Architecture = experiment.architecture.create()
    with seeded_globally(seed, "init"):
        generator, discriminator = architecture.build(data.shape)
        _check_shapes(architecture, generator, discriminator, data)
    # What networks draw while they train (dropout) is the seed's too, on every device.
    torch.manual_seed(stream_seed(seed, "networks"))
    samples = resident(data, device)
    cpu = torch.device("cpu")
    return Game(
        generator=_player(generator.to(device), settings.generator_lr, settings),
        discriminator=_player(discriminator.to(device), settings.discriminator_lr, settings),
        objective=_objective(experiment, device),
        streams=Streams(seed, architecture.latent_size, device),
        batch_size=settings.batch_size,
        batches=batches(samples, settings.batch_size, stream(seed, "data", cpu), device),
        generator_batches=batches(
            samples, settings.batch_size, stream(seed, "data/generator", cpu), device
        ),
    )


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


def _player(network: nn.Module, lr: float, settings: Settings) -> Player:
    betas = (settings.beta1, settings.beta2)
    return Player(network, torch.optim.Adam(network.parameters(), lr, betas, fused=True))


def _objective(experiment: Experiment, device: torch.device) -> Objective:
    def created(part: object) -> object:
        return part.to(device) if isinstance(part, nn.Module) else part

    penalties: list[Penalty] = [created(p.create()) for p in experiment.objective.penalties]  # type: ignore[misc]
    return Objective(created(experiment.objective.loss.create()), penalties)  # type: ignore[arg-type]
