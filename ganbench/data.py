"""What a data set holds once it is loaded."""

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import TypeAlias

import torch
from torch import Tensor

Samples: TypeAlias = Tensor  # uint8 [batch, channels, height, width]; float [batch, features]
Shape: TypeAlias = tuple[int, ...]  # (channels, height, width), or (features,) for points


@dataclass(frozen=True)
class Mixture:
    """Normal distributions of equal weight and equal, isotropic spread: a density known exactly.

    Args:
        means: float64 [modes, features].
        std: the standard deviation of every mode along every axis.
    """

    means: Tensor
    std: float

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return float32 [count, features]."""
        modes = torch.randint(len(self.means), (count,), generator=generator)
        noise = torch.randn(count, self.means.shape[1], generator=generator, dtype=torch.float64)
        return (self.means[modes] + self.std * noise).float()


@dataclass(frozen=True)
class Data:
    """Real samples, on the CPU.

    Args:
        samples: uint8 [N, channels, height, width] for images, float32 [N, features] for points.
        split: which part of the data set this is: "train", "test" or "all".
        labels: int64 [N], or None.
        mixture: the density the samples were drawn from, where it is known.
    """

    samples: Tensor
    split: str
    labels: Tensor | None = None
    mixture: Mixture | None = None

    @property
    def shape(self) -> Shape:
        """One sample's shape."""
        return tuple(self.samples.shape[1:])

    @property
    def is_images(self) -> bool:
        return self.samples.dtype == torch.uint8

    def __len__(self) -> int:
        return len(self.samples)

    def fingerprint(self) -> str:
        """The sha256 of everything it holds, as 64 hex digits."""
        digest = sha256()
        for field in fields(self):
            digest.update(f"{field.name}:".encode())
            for part in _parts(getattr(self, field.name)):
                digest.update(part)
        return digest.hexdigest()


def _parts(value: object) -> list[bytes | memoryview]:
    if isinstance(value, Tensor):
        header = f"{value.dtype}{tuple(value.shape)}".encode()
        return [header, value.contiguous().numpy().data.cast("B")]
    if isinstance(value, Mixture):
        return [*_parts(value.means), repr(value.std).encode()]
    return [repr(value).encode()]
