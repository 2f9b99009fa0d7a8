import math
from dataclasses import replace

import pytest
import torch

from ganbench.data import Data, Mixture

MIXTURE = Mixture(torch.tensor([[-3.0, 0.0], [3.0, 1.0]], dtype=torch.float64), std=0.5)
IMAGES = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2)
POINTS = torch.tensor([[0.0, 1.0], [2.0, 3.0]])


def one_off(samples: torch.Tensor) -> torch.Tensor:
    changed = samples.clone()
    changed.view(-1)[-1] += 1
    return changed


def test_images_and_points():
    images, points = Data(IMAGES, "train"), Data(POINTS, "all")
    assert (images.shape, images.is_images, len(images)) == ((3, 2, 2), True, 2)
    assert (points.shape, points.is_images, len(points)) == ((2,), False, 2)


LABELLED = Data(POINTS, "all", torch.tensor([0, 1]), MIXTURE)


@pytest.mark.parametrize(
    "changed",
    [
        replace(LABELLED, samples=one_off(POINTS)),
        replace(LABELLED, samples=POINTS.flip(0)),
        replace(LABELLED, samples=POINTS.double()),
        replace(LABELLED, samples=POINTS.reshape(1, 4)),
        replace(LABELLED, split="train"),
        replace(LABELLED, labels=torch.tensor([1, 0])),
        replace(LABELLED, labels=torch.tensor([0, 1], dtype=torch.int32)),
        replace(LABELLED, labels=None),
        replace(LABELLED, mixture=replace(MIXTURE, std=0.25)),
        replace(LABELLED, mixture=replace(MIXTURE, means=MIXTURE.means.flip(0))),
        replace(LABELLED, mixture=None),
    ],
    ids=[
        "value", "order", "dtype", "shape", "split", "labels", "label dtype", "no labels", "std",
        "means", "no mixture",
    ],
)  # fmt: skip
def test_the_fingerprint_changes_with_any_content(changed):
    assert changed.fingerprint() != LABELLED.fingerprint()


def test_the_fingerprint_is_of_the_content_alone():
    again = Data(POINTS.T.contiguous().T, "all", torch.tensor([0, 1]), replace(MIXTURE, std=1 / 2))
    assert not again.samples.is_contiguous()
    assert again.fingerprint() == LABELLED.fingerprint()
    assert len(again.fingerprint()) == 64
    assert int(again.fingerprint(), 16) > 0


def test_the_fingerprint_of_an_image_changes_with_one_pixel():
    assert Data(one_off(IMAGES), "all").fingerprint() != Data(IMAGES, "all").fingerprint()


def test_a_mixture_is_drawn_with_its_moments():
    count = 40_000
    points = MIXTURE.draw(count, torch.Generator().manual_seed(0))
    assert points.dtype == torch.float32
    assert points.shape == (count, 2)
    right = points[:, 0] > 0  # the modes are 12 standard deviations apart
    # Five standard errors each.
    assert abs(float(right.float().mean()) - 0.5) < 5 * 0.5 / math.sqrt(count)
    for mode, mean in ((points[~right], (-3.0, 0.0)), (points[right], (3.0, 1.0))):
        centred = mode.double() - torch.tensor(mean)
        assert centred.mean(0).abs().max() < 5 * 0.5 / math.sqrt(len(mode))
        assert (centred.std(0) - 0.5).abs().max() < 5 * 0.5 / math.sqrt(2 * len(mode))
        correlation = float(centred.T.corrcoef()[0, 1])
        assert abs(correlation) < 5 / math.sqrt(len(mode))


def test_a_draw_is_its_generators_alone():
    before = torch.get_rng_state()
    one, two = (MIXTURE.draw(10, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, MIXTURE.draw(10, torch.Generator().manual_seed(5)))
    assert torch.equal(torch.get_rng_state(), before)
