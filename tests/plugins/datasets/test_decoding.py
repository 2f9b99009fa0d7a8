from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench_plugins.datasets.decoding import Form, decode


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def of_pixels(pixels, dtype=np.uint8) -> Image.Image:
    return Image.fromarray(np.array(pixels, dtype=dtype))


def random_image(width: int, height: int) -> Image.Image:
    return of_pixels(np.random.default_rng(0).integers(0, 256, (height, width, 3)))


def test_colour_planes_in_order():
    image = of_pixels([[[1, 2, 3], [4, 5, 6]]])
    assert decode(encoded(image), Form(0, 3)).tolist() == [[[1, 4]], [[2, 5]], [[3, 6]]]


def test_colours_become_grey_by_itu_601():
    # 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    assert decode(encoded(of_pixels([[[200, 100, 50]]])), Form(0, 1)).tolist() == [[[124]]]


def test_grey_becomes_three_equal_planes():
    assert decode(encoded(of_pixels([[7, 8]])), Form(0, 3)).tolist() == [[[7, 8]]] * 3


def test_alpha_is_dropped():
    image = of_pixels([[[10, 20, 30, 0], [40, 50, 60, 255]]])
    assert decode(encoded(image), Form(0, 3)).tolist() == [[[10, 40]], [[20, 50]], [[30, 60]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind):
    # 65535 / 255 = 257 to one; 128 is just below half of that.
    content = encoded(of_pixels([[0, 128, 257, 65535]], np.uint16), kind)
    assert decode(content, Form(0, 1)).tolist() == [[[0, 0, 1, 255]]]
    assert decode(content, Form(0, 3)).tolist() == [[[0, 0, 1, 255]]] * 3


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_pixels_of_no_known_range(dtype):
    with pytest.raises(ValueError, match="its pixels have 32 bits, of no known range"):
        decode(encoded(of_pixels([[1]], dtype), "TIFF"), Form(0, 3))


def test_a_palette_is_looked_up():
    image = Image.new("P", (2, 1))
    image.putpalette([9, 8, 7, 90, 80, 70])
    image.putpixel((1, 0), 1)
    assert decode(encoded(image), Form(0, 3)).tolist() == [[[9, 90]], [[8, 80]], [[7, 70]]]


def test_cmyk():
    # Pillow: 255 - min(255, ink + key), for each of cyan, magenta, yellow.
    image = of_pixels(np.full((8, 8, 4), [255, 0, 0, 0]).astype(np.uint8))
    image = Image.frombytes("CMYK", (8, 8), image.tobytes())
    assert decode(encoded(image, "TIFF"), Form(0, 3))[:, 0, 0].tolist() == [0, 255, 255]


def test_black_and_white():
    assert decode(encoded(of_pixels([[0, 255]]).convert("1")), Form(0, 1)).tolist() == [[[0, 255]]]


def test_exif_orientation_is_honoured():
    exif = Image.Exif()
    exif[0x0112] = 6  # "the row 0 is the visual right-hand side": turn it clockwise
    content = encoded(of_pixels([[1, 2], [3, 4]]), exif=exif)
    assert decode(content, Form(0, 1)).tolist() == [[[3, 1], [4, 2]]]


def test_exif_orientation_of_sixteen_bits():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(of_pixels([[257, 514], [771, 1028]], np.uint16), exif=exif)
    assert decode(content, Form(0, 1)).tolist() == [[[3, 1], [4, 2]]]


@pytest.mark.parametrize(
    ("width", "height", "size", "scaled"),
    [(64, 48, 16, (21, 16)), (48, 65, 16, (16, 21)), (10, 10, 32, (32, 32)), (5, 9, 5, (5, 9))],
)
def test_the_shorter_side_is_scaled_and_the_centre_cut_out(width, height, size, scaled):
    image = random_image(width, height)
    pixels = np.asarray(image.resize(scaled, Image.Resampling.LANCZOS))
    top, left = round((scaled[1] - size) / 2), round((scaled[0] - size) / 2)
    expected = pixels[top : top + size, left : left + size].transpose(2, 0, 1)
    assert decode(encoded(image), Form(size, 3)).tolist() == expected.tolist()


def test_scaling_is_antialiased():
    stripes = of_pixels(np.tile(np.array([0, 255]), (64, 32)))
    small = decode(encoded(stripes), Form(8, 1)).float()
    # Without a filter each pixel would be 0 or 255; at the borders the filter is cut off.
    assert (small[:, :, 1:-1] - 127.5).abs().max() < 3


def test_a_sliver_is_refused_before_it_is_scaled_up():
    with pytest.raises(ValueError, match="30000 x 1 is too long to scale its shorter side to 256"):
        decode(encoded(Image.new("L", (30_000, 1))), Form(256, 1))


def test_result_is_uint8():
    assert decode(encoded(random_image(3, 2)), Form(0, 3)).dtype == torch.uint8


def test_the_centre_is_cut_out_before_it_is_scaled():
    image = random_image(10, 17)
    # (10 - 6) / 2 = 2 columns and (17 - 6) / 2 = 5.5 rows, which torchvision rounds to 6.
    expected = image.crop((2, 6, 8, 12))
    cut = decode(encoded(image), Form(crop=6))
    assert cut.tolist() == np.asarray(expected).transpose(2, 0, 1).tolist()
    small = decode(encoded(image), Form(size=3, crop=6))
    scaled = np.asarray(expected.resize((3, 3), Image.Resampling.LANCZOS))
    assert small.tolist() == scaled.transpose(2, 0, 1).tolist()


def test_what_is_smaller_than_the_crop_is_refused():
    with pytest.raises(ValueError, match="10 x 5 is too small to cut 6 x 6 out of it"):
        decode(encoded(random_image(10, 5)), Form(crop=6))
