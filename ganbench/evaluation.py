"""Fakes in, metrics out: how a generator is scored, the same for every loss.

Fakes come from a latent stream of their own, fixed for the seed, so that each evaluation sees
the same latents and none disturbs training. G is in evaluation mode: batch norm uses its running
statistics, those of G at that moment where a moving average of its weights is evaluated. Its
arithmetic is float32 without TF32. Images are rounded half up to 8 bits first, as the real ones
are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ganbench.acceleration import full_precision
from ganbench.batches import as_samples
from ganbench.components import Images, Latents, Loss
from ganbench.data import Samples
from ganbench.randomness import stream
from ganbench.scoring import Scored, Scorer

_BATCH = 500
_PICTURED_IMAGES = 64
_PICTURED_POINTS = 2000


class NotFinite(Exception):
    """The generator's output has a NaN or an infinity in it."""


class Evaluator:
    """Scores generators on one set of latents.

    Args:
        latents: one for each fake of an evaluation, exactly.
        images: whether the generators make images, and not points.
    """

    def __init__(
        self, scorer: Scorer, latents: Latents, device: torch.device, *, images: bool
    ) -> None:
        self._scorer = scorer
        self._latents = latents
        self._device = device
        self._images = images

    def evaluate(
        self,
        generator: nn.Module,
        discriminator: nn.Module | None = None,
        loss: Loss | None = None,
    ) -> Scored:
        """Score its fakes, and D where it is given with its loss.

        Raises:
            NotFinite: the generator makes values that are no numbers.
        """
        for fakes in self._fakes(generator, self._latents):
            self._scorer.update(fakes)
        if discriminator is not None and loss is not None:
            with evaluating(discriminator), full_precision():
                self._scorer.judge(discriminator, loss)
        return self._scorer.result()

    def picture(self, generator: nn.Module) -> Samples:
        """The fakes of the first latents, for looking at; on the CPU."""
        count = _PICTURED_IMAGES if self._images else _PICTURED_POINTS
        return torch.cat(list(self._fakes(generator, self._latents[:count]))).cpu()

    def _fakes(self, generator: nn.Module, latents: Latents) -> Iterator[Samples]:
        for chunk in latents.split(_BATCH):
            with evaluating(generator), full_precision():
                images: Images = generator(chunk.to(self._device))
            if not torch.isfinite(images).all():
                raise NotFinite
            yield as_samples(images) if self._images else images.float()


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
