"""Named random streams: what is drawn for one purpose never shifts what is drawn for another.

A stream is seeded by a hash of (seed, name). The loss is not in the hash, so that runs of one
seed start from the same weights and see the same batches and latents whatever they minimise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor


def stream_seed(seed: int, name: str) -> int:
    """A 63-bit seed for the stream `name` of the run's `seed`."""
    return int.from_bytes(sha256(f"{seed}/{name}".encode()).digest()[:8], "big") >> 1


def stream(seed: int, name: str, device: torch.device) -> torch.Generator:
    """A fresh generator on `device`, at the start of its stream."""
    return torch.Generator(device).manual_seed(stream_seed(seed, name))


@contextmanager
def seeded_globally(seed: int, name: str) -> Iterator[None]:
    """Within, torch's global CPU generator runs on the stream `name`; after, it is as before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, name))
        yield


@contextmanager
def random_state_kept(device: torch.device) -> Iterator[None]:
    """What is drawn within from torch's global generators does not shift what is drawn after."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


@dataclass(frozen=True)
class Noise:
    """The run's own noise, for penalties; torch's global generator stays untouched."""

    generator: torch.Generator

    def uniform_like_batch(self, images: Tensor) -> Tensor:
        """U(0, 1), one value per image, shaped to broadcast over `images`."""
        shape = (len(images),) + (1,) * (images.dim() - 1)
        return torch.rand(shape, generator=self.generator, device=images.device)

    def uniform_like(self, images: Tensor) -> Tensor:
        """U(0, 1), one value per element of `images`."""
        return torch.rand(images.shape, generator=self.generator, device=images.device)

    def normal_like(self, images: Tensor) -> Tensor:
        """N(0, 1), one value per element of `images`."""
        return torch.randn(images.shape, generator=self.generator, device=images.device)


class Streams:
    """The random streams of one training run.

    Each player has its own latents, so that the generator's are the same whatever the schedule.
    """

    def __init__(self, seed: int, latent_size: int, device: torch.device) -> None:
        self._latent_size = latent_size
        self._device = device
        self._discriminator = stream(seed, "latents/discriminator", device)
        self._generator = stream(seed, "latents/generator", device)
        self.noise = Noise(stream(seed, "penalty", device))

    def discriminator_latents(self, count: int) -> Tensor:
        return self._draw(count, self._discriminator)

    def generator_latents(self, count: int) -> Tensor:
        return self._draw(count, self._generator)

    def _draw(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randn(count, self._latent_size, generator=generator, device=self._device)
