"""Random moves of images by whole pixels, each image by its own."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from ganbench.api import Images, Noise

Edge: TypeAlias = Callable[[Images, Tensor, int], Images]


def whole_numbers(noise: Noise, images: Images, count: int) -> Tensor:
    """One of 0, ..., count - 1 for each image; int64 [batch]."""
    return (noise.uniform_like_batch(images) * count).long().flatten()


def flipped(images: Images, noise: Noise) -> Images:
    """Each image mirrored horizontally with probability 1/2."""
    return torch.where(noise.uniform_like_batch(images) < 0.5, images.flip(3), images)


def shifted(images: Images, noise: Noise, largest: tuple[int, int], edge: Edge) -> Images:
    """Each image moved by up to `largest` pixels down and right, or as far up and left.

    Args:
        edge: what comes in from outside, `zeros_outside` or `mirror_outside`.
    """
    for dim, most in zip((2, 3), largest, strict=True):
        offsets = whole_numbers(noise, images, 2 * most + 1) - most
        sources = torch.arange(images.shape[dim], device=images.device) - offsets[:, None]
        images = edge(images, sources, dim)
    return images


def zeros_outside(images: Images, sources: Tensor, dim: int) -> Images:
    """0 from outside; `sources` says, for each image, which line along `dim` goes where."""
    last = images.shape[dim] - 1
    inside = _as_lines((sources >= 0) & (sources <= last), dim)
    return _taken(images, sources.clamp(0, last), dim) * inside


def mirror_outside(images: Images, sources: Tensor, dim: int) -> Images:
    """The image again, mirrored at its outermost line; `sources` as above."""
    last = images.shape[dim] - 1
    return _taken(images, last - (last - sources.abs()).abs(), dim)


def _taken(images: Images, sources: Tensor, dim: int) -> Images:
    return images.gather(dim, _as_lines(sources, dim).expand_as(images))


def _as_lines(values: Tensor, dim: int) -> Tensor:
    """[batch, lines] so that it broadcasts over images with that many lines along `dim`."""
    return values[:, None, :, None] if dim == 2 else values[:, None, None, :]
