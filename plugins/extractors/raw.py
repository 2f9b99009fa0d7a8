"""No network at all."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch

from ganbench.api import Data, Features, Network, Samples


@dataclass
class Raw:
    """The samples themselves, flattened: points as they are, images as pixels from -1 to 1.

    For points this is the natural choice. Distances between pixels say little of what is seen.
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 1000

    _quantised: bool = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return ("raw", "uint8") if self._quantised else ("raw",)

    def check(self, reference: Data) -> None:
        self._quantised = reference.is_images

    def load(self, device: torch.device) -> Network:
        return _pixels if self._quantised else Features


def _pixels(images: Samples) -> Features:
    return Features((images.float() / 127.5 - 1).flatten(1))
