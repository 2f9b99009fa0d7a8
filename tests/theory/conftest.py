"""Objectives by their names, and a record of each number that theory gives.

`pytest tests/theory --theory` prints the record as the table of results/reference/theory.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench.catalogue import Catalogue
from ganbench.experiment import choose_objective
from ganbench.objective import Objective, Step
from ganbench.randomness import LatentSpace, Streams
from ganbench.specs import parse_entries
from ganbench.training import Player

_ROW = "theory"


def pytest_addoption(parser):
    parser.addoption("--theory", action="store_true", help="print what theory says and we measure")


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("--theory", default=False):
        return
    terminalreporter.section("theory")
    rows = defaultdict(list)
    for report in terminalreporter.stats.get("passed", []):
        test = report.nodeid.rpartition("::")[2].partition("[")[0]
        for key, (objective, *numbers) in report.user_properties:
            if key == _ROW:
                rows[test, *numbers].append(f"`{objective}`")
    terminalreporter.write_line("| quantity | objective | theory | measured | test |")
    terminalreporter.write_line("|---|---|---|---|---|")
    for (test, quantity, *numbers), objectives in rows.items():
        cells = [quantity, ", ".join(objectives), *numbers, f"`{test}`"]
        terminalreporter.write_line(f"| {' | '.join(cells)} |")


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def objective(bundled: Catalogue) -> Callable[[str], Objective]:
    """The objective that `ganbench run --losses` makes of a text."""

    def made(text: str) -> Objective:
        (entry,) = parse_entries(text)
        loss, *additions = (part.create() for part in choose_objective(bundled, entry).parts)
        return Objective(loss, additions)

    return made


@pytest.fixture
def at_step() -> Callable[..., Step]:
    """Call as `at_step(discriminator, real, fake, number=0)`; all steps share one noise."""
    noise = Streams(0, LatentSpace(1), torch.device("cpu")).discriminator_noise

    def step(discriminator: nn.Module, real: Tensor, fake: Tensor, number: int = 0) -> Step:
        return Step(discriminator, None, None, real, fake, noise, noise, number)

    return step


@pytest.fixture
def trained(at_step) -> Callable[..., nn.Module]:
    """Call as `trained(D, objective, batches, steps, optimizer, lr=...)`, batches(n) -> real, fake.

    G is fixed, and the learning rate falls to 0.
    """

    def train(network, objective, batches, steps, optimizer, **options):
        player = Player(network, optimizer(network.parameters(), **options))
        for number in range(steps):
            player.scale_lr(1 - number / steps)
            terms = objective.discriminator_terms(at_step(network, *batches(number), number))
            player.descend(terms.loss)
        return network

    return train


@pytest.fixture
def normals() -> Callable[[int, float], Tensor]:
    """Call as `normals(count, mean)`: that many quantiles of N(mean, 1), as images."""

    def quantiles(count: int, mean: float) -> Tensor:
        return (torch.special.ndtri((torch.arange(count) + 0.5) / count) + mean)[:, None]

    return quantiles


@pytest.fixture
def agree(record_property) -> Callable[..., None]:
    """Call as `agree(quantity, objective, measured, theory, rel=...)`; numbers or arrays."""

    def check(quantity, text, measured, theory, **tolerance):
        record_property(_ROW, [text, quantity, _text(theory), _text(measured)])
        assert np.asarray(measured) == pytest.approx(np.asarray(theory), **tolerance)

    return check


def _text(values) -> str:
    """A number, or several; conjugate ones as one."""
    numbers = (complex(value) for value in np.atleast_1d(values))
    return ", ".join(_number(number) for number in numbers if round(number.imag, 5) >= 0)


def _number(value: complex) -> str:
    real, imaginary = (round(part, 5) + 0.0 for part in (value.real, value.imag))
    if not imaginary:
        return f"{real:.5g}"
    return f"{real:.5g} +- {imaginary:.5g}i" if real else f"+-{imaginary:.5g}i"
