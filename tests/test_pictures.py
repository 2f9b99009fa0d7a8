import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.data import Data
from ganbench.pictures import picture

PAPER, REAL, FAKE = (255, 255, 255), (170, 190, 215), (200, 60, 30)


@pytest.fixture
def drawn(tmp_path):
    """Save a picture and read it back, as an array and with PIL's mode."""

    def save(samples: torch.Tensor, real: torch.Tensor) -> tuple[np.ndarray, str]:
        path = tmp_path / "picture.png"
        path.write_bytes(picture(samples, Data(real, "all")))
        with Image.open(path) as image:
            assert image.format == "PNG"
            return np.asarray(image), image.mode

    return save


def images(count: int, channels: int, side: int) -> torch.Tensor:
    """Image i is i + 1 all over."""
    values = torch.arange(1, count + 1, dtype=torch.uint8)
    return values[:, None, None, None].expand(count, channels, side, side).clone()


def test_small_images_are_enlarged_and_laid_out_in_rows_of_eight(drawn):
    """9 of 8 x 8, four times as large: 8 columns of 32 + 2 and a last 2; 2 rows likewise."""
    pixels, mode = drawn(images(9, 1, 8), images(1, 1, 8))
    assert mode == "L"
    assert pixels.shape == (2 * 34 + 2, 8 * 34 + 2)
    assert pixels[2, 2] == pixels[33, 33] == 1
    assert pixels[1, 1] == pixels[34, 34] == pixels[2, 34] == pixels[2, 35] == 128
    assert pixels[2, 36] == 2
    assert pixels[2, 2 + 7 * 34] == 8
    assert pixels[36, 2] == pixels[67, 33] == 9
    assert (pixels[36:68, 36:] == 128).all()
    assert (pixels == 128).sum() == pixels.size - 9 * 32 * 32


def test_enlarging_repeats_pixels(drawn):
    image = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8)
    pixels, _ = drawn(image, image)
    tile = pixels[2:34, 2:34]
    assert (tile == np.arange(64).reshape(8, 8).repeat(4, 0).repeat(4, 1)).all()


def test_colours_keep_their_order(drawn):
    image = torch.tensor([10, 20, 30], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 32, 32)
    pixels, mode = drawn(image.clone(), image.clone())
    assert mode == "RGB"
    assert pixels.shape == (34 + 2, 8 * 34 + 2, 3)
    assert pixels[2, 2].tolist() == [10, 20, 30]


def test_large_images_stay_as_they_are(drawn):
    pixels, _ = drawn(images(1, 1, 33), images(1, 1, 33))
    assert pixels.shape == (35 + 2, 8 * 35 + 2)


def test_points_are_a_scatter_of_fake_over_real(drawn):
    """Real points span 0..1; with a margin of 0.15 a side, 0 is pixel 0.15 / 1.3 * 399 = 46."""
    real = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    fake = torch.tensor([[0.0, 1.0], [1.0, 0.0], [50.0, 0.0], [-0.2, 0.5], [1e30, -1e30]])
    pixels, mode = drawn(fake, real)
    assert mode == "RGB"
    assert pixels.shape == (400, 400, 3)
    low, high = 46, 399 - 46
    marked = {
        (row, column): tuple(pixels[row, column].tolist())
        for row, column in np.argwhere((pixels != PAPER).any(2)).tolist()
    }
    # Up is up: the larger y, the smaller the row.
    assert marked == {
        (high, low): REAL, (low, high): REAL, (low, low): FAKE, (high, high): FAKE,
    }  # fmt: skip


def test_numbers_are_a_histogram_of_both(drawn):
    real = torch.linspace(-1, 1, 1000)[:, None]
    fake = torch.linspace(0.5, 1, 1000)[:, None]
    pixels, mode = drawn(fake, real)
    assert mode == "RGB"
    assert pixels.shape == (400, 400, 3)
    assert {tuple(p) for p in pixels.reshape(-1, 3).tolist()} == {PAPER, REAL, FAKE}
    # The real bars are a quarter as high as the fakes', which are the highest there are.
    is_real, is_fake = (pixels == REAL).all(2), (pixels == FAKE).all(2)
    assert is_fake[:4].any()
    assert not is_real[: 399 - 399 // 3].any()
    # Real spans -1..1 of -1.3..1.3; fakes stand in its right quarter and lie at 0 elsewhere.
    left = slice(60, 190)
    assert is_real[350:395, left].any()
    assert not is_fake[:390, left].any()
