"""Moves of images, against numpy."""

import numpy as np
import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.moves import (
    flipped,
    mirror_outside,
    shifted,
    whole_numbers,
    zeros_outside,
)

IMAGES = torch.arange(300.0).reshape(300, 1, 1, 1) + torch.rand(
    300, 2, 5, 6, generator=torch.Generator().manual_seed(0)
)
MODES = [(zeros_outside, {"mode": "constant"}), (mirror_outside, {"mode": "reflect"})]


def noise():
    return Noise(torch.Generator().manual_seed(2))


def candidates(image, down, right, **padding):
    """Every shift of an image, by its offsets; pad, then take a window."""
    padded = np.pad(image, ((0, 0), (down, down), (right, right)), **padding)
    _, height, width = image.shape
    return {
        (dy, dx): padded[:, down - dy : down - dy + height, right - dx : right - dx + width]
        for dy in range(-down, down + 1)
        for dx in range(-right, right + 1)
    }


@pytest.mark.parametrize(("edge", "padding"), MODES)
def test_each_image_is_moved_by_whole_pixels_and_every_move_occurs(edge, padding):
    moved = shifted(IMAGES, noise(), (2, 1), edge)
    offsets = []
    for image, result in zip(IMAGES.numpy(), moved.numpy(), strict=True):
        shifts = candidates(image, 2, 1, **padding)
        offsets += [offset for offset, s in shifts.items() if np.array_equal(s, result)]
    assert len(offsets) == 300
    counts = [offsets.count((dy, dx)) for dy in range(-2, 3) for dx in range(-1, 2)]
    assert min(counts) > 5  # 20 each, on average
    assert max(counts) < 45


@pytest.mark.parametrize(("edge", "padding"), MODES)
def test_no_move_is_the_identity(edge, padding):
    assert torch.equal(shifted(IMAGES, noise(), (0, 0), edge), IMAGES)


@pytest.mark.parametrize(("edge", "padding"), MODES)
def test_the_largest_possible_move(edge, padding):
    moved = shifted(IMAGES, noise(), (4, 5), edge)
    for image, result in zip(IMAGES.numpy()[:20], moved.numpy()[:20], strict=True):
        assert any(np.array_equal(s, result) for s in candidates(image, 4, 5, **padding).values())


def test_half_of_the_images_are_mirrored():
    results = flipped(IMAGES, noise())
    mirrored = sum(torch.equal(r, i.flip(2)) for r, i in zip(results, IMAGES, strict=True))
    same = sum(torch.equal(r, i) for r, i in zip(results, IMAGES, strict=True))
    assert mirrored + same == 300
    assert 120 < mirrored < 180


def test_whole_numbers_are_uniform():
    numbers = whole_numbers(noise(), torch.empty(9000, 1, 1, 1), 9)
    assert numbers.shape == (9000,)
    counts = numbers.bincount()
    assert len(counts) == 9
    assert counts.min() > 850
    assert counts.max() < 1150


@pytest.mark.parametrize("count", [*range(1, 66), 1025])
def test_the_largest_uniform_number_stays_below_the_count(count):
    class Largest:
        def uniform_like_batch(self, images):
            return torch.full((len(images), 1, 1, 1), 1 - 2**-24)

    assert whole_numbers(Largest(), torch.empty(1, 1, 1, 1), count).item() == count - 1
