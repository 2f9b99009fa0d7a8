"""Fakes in, metrics out: how a generator is scored, the same for every loss.

Fakes come from a latent stream of their own, fixed for the seed, so that each evaluation sees
the same latents and none disturbs training. G is in evaluation mode (batch norm uses its running
statistics). Images are rounded half up to 8 bits first, as the real ones are.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from ganbench.batches import as_samples
from ganbench.components import Direction, Images, Latents, Metric, Samples
from ganbench.data import Data
from ganbench.errors import ContractBroken
from ganbench.randomness import stream

_BATCH = 500
_PICTURED_IMAGES = 64
_PICTURED_POINTS = 2000


class NotFinite(Exception):
    """The generator's output has a NaN or an infinity in it."""


@dataclass(frozen=True)
class Column:
    """One value of a metric, with all that it depends on in its name.

    Args:
        name: such as `fd[n=2000,all,digits-cnn,uint8]`.
        direction: which values are better.
    """

    name: str
    direction: Direction


def columns(metric: Metric, samples: int, split: str) -> dict[str, Column]:
    """The columns of a metric's values, by the key of `Metric.result`, the headline first."""
    setting = ",".join((f"n={samples}", split, *metric.settings))
    return {
        key: Column(f"{key}[{setting}]", direction) for key, direction in metric.directions.items()
    }


class Evaluator:
    """Scores generators against one data set.

    Args:
        metrics: checked against `data`.
        latents: one for each fake of an evaluation, exactly.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        data: Data,
        latents: Latents,
        device: torch.device,
    ) -> None:
        self._device = device
        self._images = data.is_images
        self._latents = latents
        self._metrics = [(m, columns(m, len(latents), data.split)) for m in metrics]
        for metric in metrics:
            metric.start(data, device)

    @property
    def columns(self) -> list[Column]:
        """All columns, the headline first."""
        return [column for _, names in self._metrics for column in names.values()]

    def evaluate(self, generator: nn.Module) -> dict[str, float]:
        """The value of each column.

        Raises:
            NotFinite: the generator makes values that are no numbers.
        """
        for fakes in self._fakes(generator, self._latents):
            for metric, _ in self._metrics:
                metric.update(fakes)
        return {
            names[key].name: float(value)
            for metric, names in self._metrics
            for key, value in _checked(metric).items()
        }

    def picture(self, generator: nn.Module) -> Samples:
        """The fakes of the first latents, for looking at; on the CPU."""
        count = _PICTURED_IMAGES if self._images else _PICTURED_POINTS
        return torch.cat(list(self._fakes(generator, self._latents[:count]))).cpu()

    def _fakes(self, generator: nn.Module, latents: Latents) -> Iterator[Samples]:
        with evaluating(generator), torch.no_grad():
            for chunk in latents.split(_BATCH):
                images: Images = generator(chunk.to(self._device))
                if not torch.isfinite(images).all():
                    raise NotFinite
                yield as_samples(images) if self._images else images.float()


def _checked(metric: Metric) -> dict[str, float]:
    result = metric.result()
    if set(result) != set(metric.directions):
        expected = ", ".join(metric.directions)
        found = ", ".join(map(str, result)) or "none"
        raise ContractBroken(
            type(metric), f"has to return values for {expected}; it returned {found}"
        )
    return result


def evaluation_latents(seed: int) -> torch.Generator:
    """The stream that all evaluations of a run draw from; on the CPU, so equal on any device."""
    return stream(seed, "latents/evaluation", torch.device("cpu"))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Within, the network is in evaluation mode; after, it is as before."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
