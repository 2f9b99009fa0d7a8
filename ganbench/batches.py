"""Endless real batches, from samples that lie on the device as they are stored."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ganbench.components import Images
from ganbench.data import Data, Samples

# Of the GPU's free memory: the rest is for the networks.
_SHARE_FOR_DATA = 0.25


def resident(data: Data, device: torch.device) -> Samples:
    """The samples on `device` if they fit there, else where they are, ready to be moved."""
    if device.type != "cuda":
        return data.samples
    free, _ = torch.cuda.mem_get_info(device)
    size = data.samples.numel() * data.samples.element_size()
    return data.samples.to(device) if size < _SHARE_FOR_DATA * free else data.samples.pin_memory()


class Batches(Iterator[Images]):
    """Shuffled passes over the samples, for ever; a batch may run on into the next pass.

    Args:
        order: draws the order; on the CPU, so that it is the same on every device.
        flips: draws which images are mirrored, each with probability 1/2; None for none.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        device: torch.device,
        order: torch.Generator,
        flips: torch.Generator | None = None,
    ) -> None:
        self._samples = samples
        self._batch_size = batch_size
        self._device = device
        self._order = order
        self._flips = flips
        self._waiting = torch.empty(0, dtype=torch.long)

    def __next__(self) -> Images:
        while len(self._waiting) < self._batch_size:
            drawn = torch.randperm(len(self._samples), generator=self._order)
            self._waiting = torch.cat([self._waiting, drawn])
        chosen, self._waiting = (
            self._waiting[: self._batch_size],
            self._waiting[self._batch_size :],
        )
        samples = self._samples[chosen.to(self._samples.device)]
        return self._flipped(as_images(samples.to(self._device, non_blocking=True)))

    def _flipped(self, images: Images) -> Images:
        if self._flips is None:
            return images
        mirrored = torch.rand(len(images), 1, 1, 1, generator=self._flips) < 0.5
        return torch.where(mirrored.to(images.device), images.flip(3), images)

    def state(self) -> dict[str, Tensor]:
        """Where it is, as tensors on the CPU."""
        state = {"waiting": self._waiting.clone(), "order": self._order.get_state()}
        return state if self._flips is None else {**state, "flips": self._flips.get_state()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from where `state` was taken."""
        self._waiting = state["waiting"].clone()
        self._order.set_state(state["order"])
        if self._flips is not None:
            self._flips.set_state(state["flips"])


def as_images(samples: Samples) -> Images:
    """uint8 to float in [-1, 1], 127.5 being 0; points stay as they are."""
    return samples.float().sub_(127.5).div_(127.5) if samples.dtype == torch.uint8 else samples


def as_samples(images: Images) -> Samples:
    """Float in [-1, 1] to uint8, rounding half up; the inverse of `as_images` on 8-bit values."""
    scaled = images.float().mul(127.5).add_(128.0)
    return scaled.clamp_(0, 255).to(torch.uint8)
