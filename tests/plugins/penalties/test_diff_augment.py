"""DiffAugment: each policy's effect by hand."""

import numpy as np
import pytest
import torch

from ganbench.api import Noise, Unsupported
from ganbench_plugins.penalties.diff_augment import DiffAugment

IMAGES = torch.rand(256, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
POLICIES = ["color", "translation", "cutout", "color,translation,cutout", "cutout,color"]


def noise(seed=2):
    return Noise(torch.Generator().manual_seed(seed))


def augment(policy, images=IMAGES, seed=2):
    return DiffAugment(policy=policy).augment(images, noise(seed))


def fitted(inputs, outputs):
    """Slope and intercept of the line through one image's (input, output) values."""
    return np.polyfit(inputs.flatten(), outputs.flatten(), 1)


def test_color_of_grey_images_is_brightness_and_contrast():
    grey = IMAGES[:, :1]
    brightness, contrast = [], []
    for image, result in zip(grey.double().numpy(), augment("color", grey).numpy(), strict=True):
        slope, intercept = fitted(image, result)
        np.testing.assert_allclose(slope * image + intercept, result, atol=1e-5)
        contrast.append(slope)
        brightness.append(result.mean() - image.mean())  # contrast keeps the mean
    assert uniform_between(contrast, 0.5, 1.5)
    assert uniform_between(brightness, -0.5, 0.5)
    assert abs(np.corrcoef(brightness, contrast)[0, 1]) < 0.2


def test_saturation_scales_the_distance_from_the_mean_of_the_channels():
    results = augment("color").double()
    inputs = IMAGES.double()
    saturation = []
    for image, result in zip(inputs, results, strict=True):
        slope, _ = fitted((image - image.mean(0)).numpy(), (result - result.mean(0)).numpy())
        contrast, _ = fitted(image.mean(0).numpy(), result.mean(0).numpy())
        saturation.append(slope / contrast)
        np.testing.assert_allclose(
            result - result.mean(0), slope * (image - image.mean(0)), atol=1e-5
        )
    assert uniform_between(saturation, 0.0, 2.0)


def uniform_between(values, low, high):
    values = np.asarray(values)
    width = high - low
    return (
        low <= values.min() < low + 0.05 * width
        and high - 0.05 * width < values.max() <= high
        and abs(values.mean() - (low + high) / 2) < 0.07 * width
        and abs(values.std() - width / 12**0.5) < 0.04 * width
    )


@pytest.mark.parametrize(("side", "most"), [(32, 4), (28, 4), (16, 2), (8, 1)])
def test_translation_by_up_to_an_eighth(side, most):
    images = torch.rand(200, 1, side, side, generator=torch.Generator().manual_seed(0)) + 1
    offsets = set()
    for image, result in zip(images.numpy(), augment("translation", images).numpy(), strict=True):
        padded = np.pad(image, ((0, 0), (most, most), (most, most)))
        found = [
            (dy, dx)
            for dy in range(-most, most + 1)
            for dx in range(-most, most + 1)
            if np.array_equal(
                padded[:, most - dy : most - dy + side, most - dx : most - dx + side], result
            )
        ]
        assert len(found) == 1
        offsets.update(found)
    assert {dy for dy, _ in offsets} == {dx for _, dx in offsets} == set(range(-most, most + 1))


@pytest.mark.parametrize("side", [16, 10])
def test_cutout_is_a_square_of_half_the_side_centred_in_the_image(side):
    images = torch.ones(500, 2, side, side)
    holes = (augment("cutout", images) == 0).numpy()
    size = side // 2
    rows_seen = set()
    for hole in holes:
        assert (hole == hole[0]).all()  # the same in all channels
        rows, columns = np.flatnonzero(hole[0].any(1)), np.flatnonzero(hole[0].any(0))
        assert hole[0].sum() == len(rows) * len(columns)
        for lines in (rows, columns):
            assert (np.diff(lines) == 1).all()
            inside = lines[0] > 0 and lines[-1] < side - 1
            assert len(lines) == size if inside else size // 2 <= len(lines) <= size
        rows_seen.add((rows[0], rows[-1]))
    offset = 1 - size % 2
    assert len(rows_seen) == side + offset  # every offset occurs, each another band
    assert (augment("cutout", images) == 1).numpy().sum() == (~holes).sum()


@pytest.mark.parametrize("policy", POLICIES)
def test_it_is_a_function_of_the_noise(policy):
    assert torch.equal(augment(policy), augment(policy))
    assert not torch.equal(augment(policy), augment(policy, seed=3))


@pytest.mark.parametrize("policy", POLICIES)
def test_each_image_has_its_own(policy):
    same = IMAGES[:1].expand(32, -1, -1, -1)
    assert len(torch.unique(augment(policy, same).flatten(1), dim=0)) > 10


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_pass_twice(policy, channels):
    images = torch.rand(
        2, channels, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    ).requires_grad_()

    def function(x):
        return augment(policy, x)

    assert torch.autograd.gradcheck(function, (images,))
    assert torch.autograd.gradgradcheck(lambda x: function(x).square(), (images,))


def test_the_order_of_the_policy_is_that_of_the_augmentations():
    assert (augment("color,cutout") == 0).sum() > (augment("cutout,color") == 0).sum()


@pytest.mark.parametrize("policy", ["", "colour", "color,", "color, cutout", "color,color"])
def test_other_policies_are_refused(policy):
    with pytest.raises(ValueError, match="some of color, translation, cutout"):
        DiffAugment(policy=policy)


def test_points_are_refused():
    DiffAugment().check((1, 8, 8))
    with pytest.raises(Unsupported, match="diffaug works on images"):
        DiffAugment().check((2,))
