"""One image file's bytes -> uint8 [channels, height, width]."""

from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

_MODES = {1: "L", 3: "RGB"}


class Form(NamedTuple):
    """What every image is made into.

    Args:
        size: height and width in pixels: the shorter side is scaled to it (Lanczos, antialiased)
            and the centre cut out; 0 leaves them as they are.
        channels: 3 for colour, 1 for grey.
        crop: height and width of the centre that is cut out before any scaling; 0 keeps all.
    """

    size: int = 0
    channels: int = 3
    crop: int = 0


def decode(content: bytes, form: Form) -> Tensor:
    """Decode one image into `form`.

    Raises whatever the decoders make of a broken file, and ValueError for what can't be used.
    """
    with _opened(content) as opened:
        upright = ImageOps.exif_transpose(opened)
        image = _in_eight_bits(upright, opened.format).convert(_MODES[form.channels])
    if form.crop:
        image = _centre(image, form.crop)
    if form.size:
        image = _squared(image, form.size)
    pixels: Tensor = transforms.pil_to_tensor(image)
    return pixels


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(content))
    except UnidentifiedImageError:  # its text names the stream, by address
        raise ValueError("it is in no format that Pillow knows") from None


def _in_eight_bits(image: Image.Image, file_format: str | None) -> Image.Image:
    """16-bit greys are scaled: Pillow's own conversion would clip them to white."""
    if image.mode == "F" or (image.mode == "I" and file_format not in {"PNG", "PPM"}):
        raise ValueError("its pixels have 32 bits, of no known range")
    if image.mode == "I" or image.mode.startswith("I;16"):
        scaled = (np.asarray(image).astype(np.float64) * (255 / 65535)).round()
        return Image.fromarray(scaled.astype(np.uint8))
    return image


def _centre(image: Image.Image, side: int) -> Image.Image:
    width, height = image.size
    if side > min(width, height):  # where torchvision would add a black border
        raise ValueError(f"{width} x {height} is too small to cut {side} x {side} out of it")
    square: Image.Image = transforms.center_crop(image, [side, side])
    return square


def _squared(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    limit = Image.MAX_IMAGE_PIXELS
    if limit and size * size * max(width, height) > limit * min(width, height):
        raise ValueError(f"{width} x {height} is too long to scale its shorter side to {size}")
    scaled = transforms.resize(image, size, InterpolationMode.LANCZOS)
    return _centre(scaled, size)
