"""From an experiment's recipe to a game that can be played."""

from typing import Any, cast

import torch
from torch import nn

from ganbench.averaging import MovingAverage
from ganbench.batches import Batches, resident
from ganbench.components import Addition, Architecture, Loss, Schedule
from ganbench.contracts import check_state
from ganbench.data import Data, Samples
from ganbench.errors import ContractBroken
from ganbench.evaluation import evaluating
from ganbench.experiment import Experiment
from ganbench.objective import Objective
from ganbench.optimizers import optimizer
from ganbench.protocol import TrainingProtocol
from ganbench.randomness import LatentSpace, Streams, seeded_globally, stream, stream_seed
from ganbench.training import Game, Player


def assemble(experiment: Experiment, data: Data, device: torch.device) -> Game:
    """Build networks, optimizers and streams; the same for the same seed, whatever the loss.

    Leaves torch's global generators at the start of the run's stream for its networks.
    """
    seed, settings = experiment.seed, experiment.settings
    architecture: Architecture = experiment.architecture.create()
    with seeded_globally(seed, "init"):
        generator, discriminator = architecture.build(data.shape)
        _check_shapes(architecture, generator, discriminator, data)
    for network in (generator, discriminator):
        check_state(network, architecture)
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


def schedule_of(experiment: Experiment) -> Schedule:
    """A new instance of its schedule, whose state a checkpoint can hold."""
    schedule: Schedule = _sound(experiment.schedule.create())
    return schedule


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

    loss, *additions = (created(_sound(part.create())) for part in experiment.objective.parts)
    return Objective(cast("Loss", loss), cast("list[Addition]", additions))


def _sound(part: Any) -> Any:
    if isinstance(part, nn.Module):
        check_state(part, part)
    return part
