"""CR and bCR with discriminators that see, or don't see, what T does."""

import pytest
import torch

from ganbench.api import Noise, Unsupported
from ganbench_plugins.penalties.consistency import BalancedConsistency, Consistency

REAL = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
FAKE = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(1))
ALL = [Consistency, BalancedConsistency]


def noise():
    return Noise(torch.Generator().manual_seed(2))


def corner(images):
    return images[:, 0, 0, 0]


def row_of_a_mark(images):
    """In which row the brightest pixel is."""
    weights = torch.arange(8.0)[:, None]
    return (images[:, 0] * weights).sum(dim=(1, 2))


def marked():
    """Images that are 0 but for one pixel in the middle, which no shift by 1 mirrors."""
    images = torch.zeros(3000, 1, 8, 8)
    images[:, 0, 4, 4] = 1.0
    return images


@pytest.mark.parametrize("penalty", [Consistency(shift=0), BalancedConsistency(shift=0)])
def test_a_d_that_is_blind_to_mirroring_pays_nothing_without_shifts(penalty):
    def discriminator(images):
        return images.sum(dim=(1, 2, 3))

    assert penalty(discriminator, REAL, FAKE, noise()).item() == pytest.approx(0.0, abs=1e-6)


def test_cr_without_shifts_by_hand():
    # Half of the images are mirrored: their corner becomes the other one, here 3 away.
    images = torch.zeros(2000, 1, 8, 8)
    images[:, :, :, 0], images[:, :, :, 7] = 1.0, 4.0
    term = Consistency(weight=10.0, shift=0)(corner, images, images, noise())
    assert term.item() == pytest.approx(10 * 9 / 2, rel=0.1)


def test_cr_of_shifts_by_hand():
    # The row is shifted by -1, 0 or 1: a mean square of 2/3.
    term = Consistency(weight=1.0, shift=1)(row_of_a_mark, marked(), marked(), noise())
    assert term.item() == pytest.approx(2 / 3, rel=0.05)
    # -2 ... 2: 10/5
    term = Consistency(weight=1.0, shift=2)(row_of_a_mark, marked(), marked(), noise())
    assert term.item() == pytest.approx(2.0, rel=0.05)


def test_cr_ignores_fakes_and_bcr_does_not():
    other = torch.full_like(FAKE, torch.nan)
    assert torch.isfinite(Consistency()(corner, REAL, other, noise()))
    assert torch.isnan(BalancedConsistency()(corner, REAL, other, noise()))


def test_bcr_weighs_both_sides():
    flat = torch.ones_like(FAKE)  # no move changes it
    only_real = BalancedConsistency(real_weight=2.0, fake_weight=99.0)
    only_fake = BalancedConsistency(real_weight=99.0, fake_weight=3.0)
    on_real = only_real(corner, REAL, flat, noise()).item()
    cr = Consistency(weight=1.0)(corner, REAL, flat, noise()).item()
    assert on_real == pytest.approx(2 * cr, rel=1e-6)
    on_fake = only_fake(corner, flat, FAKE, noise()).item()
    assert on_fake > 0
    doubled = BalancedConsistency(real_weight=99.0, fake_weight=6.0)
    assert doubled(corner, flat, FAKE, noise()).item() == pytest.approx(2 * on_fake, rel=1e-6)


def test_both_logits_of_a_pair_carry_gradients():
    # With D = w * corner both terms of the difference depend on w: the gradient is 2 * term / w.
    weight = torch.tensor(3.0, requires_grad=True)
    term = Consistency()(lambda x: weight * corner(x), REAL, FAKE, noise())
    term.backward()
    assert weight.grad.item() == pytest.approx(2 * term.item() / 3, rel=1e-5)


def test_the_original_batch_is_passed_as_it_is_so_that_d_is_shared():
    seen = []

    def discriminator(images):
        seen.append(images)
        return corner(images)

    BalancedConsistency()(discriminator, REAL, FAKE, noise())
    assert sum(images is REAL for images in seen) == 1
    assert sum(images is FAKE for images in seen) == 1


@pytest.mark.parametrize("cls", ALL)
def test_points_and_too_small_images_are_refused(cls):
    cls().check((3, 32, 32))
    cls(shift=7).check((1, 8, 8))
    with pytest.raises(Unsupported, match="works on images"):
        cls().check((2,))
    with pytest.raises(Unsupported, match="shift of 8 pixels"):
        cls(shift=8).check((1, 8, 16))
