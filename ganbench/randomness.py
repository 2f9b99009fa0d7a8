"""Named random streams: what is drawn for one purpose never shifts what is drawn for another.

A stream is seeded by a hash of (seed, name). The loss is not in the hash, so that runs of one
seed start from the same weights and see the same batches and latents whatever they minimise.
"""

from collections.abc import Callable, Iterator, Mapping
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


_LATENTS: Mapping[str, Callable[..., Tensor]] = {
    "normal": torch.randn,
    "uniform": lambda *size, **options: torch.rand(*size, **options).mul_(2).sub_(1),
}


@dataclass(frozen=True)
class LatentSpace:
    """Where z comes from.

    Args:
        size: numbers in z.
        distribution: of each, independently: "normal" is N(0, 1), "uniform" is U(-1, 1).
    """

    size: int
    distribution: str = "normal"

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return float32 [count, size] on the generator's device."""
        device = generator.device
        draw = _LATENTS[self.distribution]
        return draw(count, self.size, generator=generator, device=device)


_STREAMS = (
    "latents/discriminator",
    "latents/generator",
    "penalty",
    "penalty/generator",
    "augmentation",
    "augmentation/generator",
)


class Streams:
    """The random streams of one training run.

    Each player has its own latents, so that the generator's are the same whatever the schedule.
    """

    def __init__(self, seed: int, latents: LatentSpace, device: torch.device) -> None:
        self._latents = latents
        self._generators = {name: stream(seed, name, device) for name in _STREAMS}
        self.discriminator_noise = Noise(self._generators["penalty"])
        self.generator_noise = Noise(self._generators["penalty/generator"])
        self.discriminator_augmentation_noise = Noise(self._generators["augmentation"])
        self.generator_augmentation_noise = Noise(self._generators["augmentation/generator"])

    def discriminator_latents(self, count: int) -> Tensor:
        return self._latents.draw(count, self._generators["latents/discriminator"])

    def generator_latents(self, count: int) -> Tensor:
        return self._latents.draw(count, self._generators["latents/generator"])

    def state(self) -> dict[str, Tensor]:
        """Where each stream is, as tensors on the CPU."""
        return {name: generator.get_state() for name, generator in self._generators.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from where `state` was taken."""
        for name, generator in self._generators.items():
            generator.set_state(state[name])
