"""Endless real batches, from samples that lie on the device as they are stored."""

from collections.abc import Iterator

import torch

from ganbench.components import Images, Samples
from ganbench.data import Data

# Of the GPU's free memory: the rest is for the networks.
_SHARE_FOR_DATA = 0.25


def resident(data: Data, device: torch.device) -> Samples:
    """The samples on `device` if they fit there, else where they are, ready to be moved."""
    if device.type != "cuda":
        return data.samples
    free, _ = torch.cuda.mem_get_info(device)
    size = data.samples.numel() * data.samples.element_size()
    return data.samples.to(device) if size < _SHARE_FOR_DATA * free else data.samples.pin_memory()


def batches(
    samples: Samples, batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[Images]:
    """Shuffled passes over the samples, for ever; a batch may run on into the next pass.

    `generator` is on the CPU, so that the order is the same on every device.
    """
    order = torch.empty(0, dtype=torch.long)
    while True:
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(samples), generator=generator)])
        chosen, order = order[:batch_size], order[batch_size:]
        yield as_images(samples[chosen.to(samples.device)].to(device, non_blocking=True))


def as_images(samples: Samples) -> Images:
    """uint8 to float in [-1, 1], 127.5 being 0; points stay as they are."""
    return samples.float().sub_(127.5).div_(127.5) if samples.dtype == torch.uint8 else samples


def as_samples(images: Images) -> Samples:
    """Float in [-1, 1] to uint8, rounding half up; the inverse of `as_images` on 8-bit values."""
    scaled = images.float().mul(127.5).add_(128.0)
    return scaled.clamp_(0, 255).to(torch.uint8)
