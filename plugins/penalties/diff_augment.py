"""Differentiable augmentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from ganbench.api import Images, Noise, Shape

from .images_only import check_images
from .moves import shifted, whole_numbers, zeros_outside

_Augment: TypeAlias = Callable[[Images, Noise], Images]

_LARGEST_TRANSLATION = 1 / 8  # of the side
_CUTOUT = 1 / 2  # of the side


def _colored(images: Images, noise: Noise) -> Images:
    """Brightness, saturation and contrast, in this order."""
    images = images + noise.uniform_like_batch(images) - 0.5
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * noise.uniform_like_batch(images) * 2
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * (noise.uniform_like_batch(images) + 0.5)


def _translated(images: Images, noise: Noise) -> Images:
    height, width = (_rounded(side * _LARGEST_TRANSLATION) for side in images.shape[2:])
    return shifted(images, noise, (height, width), zeros_outside)


def _cut_out(images: Images, noise: Noise) -> Images:
    rows, columns = (_cut_lines(images, noise, side) for side in images.shape[2:])
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    return images * ~hole


def _cut_lines(images: Images, noise: Noise, side: int) -> Tensor:
    """Which of the lines along a side of each image go; bool [batch, side]."""
    size = _rounded(side * _CUTOUT)
    first = whole_numbers(noise, images, side + 1 - size % 2)[:, None] - size // 2
    lines = torch.arange(side, device=images.device)
    return (first <= lines) & (lines < first + size)


def _rounded(pixels: float) -> int:
    return int(pixels + 0.5)


_AUGMENTATIONS: Mapping[str, _Augment] = {
    "color": _colored,
    "translation": _translated,
    "cutout": _cut_out,
}


@dataclass(frozen=True)
class DiffAugment:
    """D sees all images, real or generated and in both players' steps, augmented at random.

    For each image its own, with u ~ U(0, 1) anew in each line:

        color        brightness x + u - 1/2; saturation, 2 u times the distance of each channel
                     from their mean; contrast, u + 1/2 times the distance from the image's mean
        translation  by up to an eighth of the side along each axis, 0 coming in
        cutout       a square of half the side, its centre anywhere in the image, becomes 0

    Gradients pass through. Values may leave [-1, 1], as in the authors' code; grey images have no
    saturation to change.

    Args:
        policy: which of them, comma-separated, in the order in which they are applied.

    References:
        Differentiable Augmentation for Data-Efficient GAN Training (Zhao et al., 2020)
        https://arxiv.org/abs/2006.10738
        https://github.com/mit-han-lab/data-efficient-gans
    """

    version: ClassVar[int] = 1

    policy: str = "color,translation,cutout"

    def __post_init__(self) -> None:
        words = self._words
        unknown = [word for word in words if word not in _AUGMENTATIONS]
        if unknown or len(set(words)) < len(words):
            raise ValueError(
                f"policy '{self.policy}' has to be some of {', '.join(_AUGMENTATIONS)}, each once,"
                " separated by commas"
            )

    def check(self, shape: Shape) -> None:
        check_images("diffaug", shape)

    def augment(self, images: Images, noise: Noise) -> Images:
        for word in self._words:
            images = _AUGMENTATIONS[word](images, noise)
        return images

    @property
    def _words(self) -> list[str]:
        return self.policy.split(",")
