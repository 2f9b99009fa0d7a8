"""Games of any registered components on data that are made up."""

from collections.abc import Callable
from itertools import islice

import pytest
import torch

from ganbench.assembly import assemble
from ganbench.catalogue import ARCHITECTURE, DATASET, PROTOCOL, SCHEDULE, Catalogue
from ganbench.choices import choose
from ganbench.data import Data
from ganbench.experiment import Experiment, choose_objective
from ganbench.specs import parse_entries, parse_one
from ganbench.training import Game, train

CPU = torch.device("cpu")
Composed = Callable[..., Experiment]


def _pictures(side: int, channels: int) -> Data:
    random = torch.Generator().manual_seed(side)
    shape = (64, channels, side, side)
    return Data(torch.randint(0, 256, shape, generator=random, dtype=torch.uint8), "all")


@pytest.fixture(scope="session")
def ring(bundled) -> Data:
    return choose(bundled, DATASET, parse_one("ring:size=1000")).create().load(None)


@pytest.fixture(scope="session")
def pictures() -> Callable[[int, int], Data]:
    """Noise as uint8 images of this side and so many channels."""
    return _pictures


@pytest.fixture(scope="session")
def composed(bundled: Catalogue) -> Composed:
    """An experiment of these specs, in batches of 16."""

    def make(
        objective: str,
        architecture: str = "mlp:width=16",
        schedule: str = "k-step",
        protocol: str = "quick:batch_size=16",
        catalogue: Catalogue = bundled,
    ) -> Experiment:
        return Experiment(
            objective=choose_objective(catalogue, parse_entries(objective)[0]),
            architecture=choose(catalogue, ARCHITECTURE, parse_one(architecture)),
            schedule=choose(catalogue, SCHEDULE, parse_one(schedule)),
            dataset=choose(catalogue, DATASET, parse_one("ring")),
            data_fingerprint="",
            scores=(),
            protocol=choose(catalogue, PROTOCOL, parse_one(protocol)),
            seed=0,
        )

    return make


def play(experiment: Experiment, data: Data, rounds: int) -> Game:
    """The game after so many rounds from the start."""
    game = assemble(experiment, data, CPU)
    for _ in islice(train(game, experiment.schedule.create()), rounds):
        pass
    return game


@pytest.fixture(scope="session")
def played() -> Callable[[Experiment, Data, int], Game]:
    return play
