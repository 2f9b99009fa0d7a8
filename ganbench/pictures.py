"""Samples as a PNG: a grid of images, a scatter of points, or a histogram of numbers."""

from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganbench.data import Data, Samples

_GRID_COLUMNS = 8
_SMALLEST_TILE = 32  # pixels; smaller images are enlarged to at least this
_GAP = 2
_SIDE = 400
_MARGIN = 0.15  # of the data's range, around it
_REAL, _FAKE, _PAPER = (170, 190, 215), (200, 60, 30), (255, 255, 255)


def picture(samples: Samples, data: Data) -> bytes:
    """Fakes as the content of a PNG; points are drawn over the real ones, in red over blue."""
    if samples.dtype == torch.uint8:
        pixels = _grid(samples)
    elif samples.shape[1] == 1:
        pixels = _histogram(samples, data.samples)
    else:
        pixels = _scatter(samples, data.samples)
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def _grid(images: Samples) -> NDArray[np.uint8]:
    scale = -(-_SMALLEST_TILE // images.shape[-1])
    tiles = images.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    count, channels, height, width = tiles.shape
    rows = -(-count // _GRID_COLUMNS)
    sheet = torch.full(
        (channels, rows * (height + _GAP) + _GAP, _GRID_COLUMNS * (width + _GAP) + _GAP),
        128,
        dtype=torch.uint8,
    )
    for index, tile in enumerate(tiles):
        top = (index // _GRID_COLUMNS) * (height + _GAP) + _GAP
        left = (index % _GRID_COLUMNS) * (width + _GAP) + _GAP
        sheet[:, top : top + height, left : left + width] = tile
    pixels = sheet.permute(1, 2, 0)
    return (pixels[:, :, 0] if channels == 1 else pixels).contiguous().numpy()


def _scatter(fake: Tensor, real: Tensor) -> NDArray[np.uint8]:
    pixels = np.full((_SIDE, _SIDE, 3), _PAPER, dtype=np.uint8)
    low, high = _range(real)
    for points, colour in ((real[:: max(1, len(real) // 5000)], _REAL), (fake, _FAKE)):
        places = ((points[:, :2] - low) / (high - low) * (_SIDE - 1)).round().long()
        places = places[((places >= 0) & (places < _SIDE)).all(dim=1)]
        pixels[_SIDE - 1 - places[:, 1].numpy(), places[:, 0].numpy()] = colour
    return pixels


def _histogram(fake: Tensor, real: Tensor) -> NDArray[np.uint8]:
    pixels = np.full((_SIDE, _SIDE, 3), _PAPER, dtype=np.uint8)
    low, high = (float(bound) for bound in _range(real))
    counts = [torch.histc(x[:, 0], _SIDE // 4, low, high) / len(x) for x in (real, fake)]
    top = float(torch.stack(counts).max())
    heights = [(c / top * (_SIDE - 1)).round().long().repeat_interleave(4) for c in counts]
    rows = torch.arange(_SIDE - 1, -1, -1)[:, None]
    pixels[(rows < heights[0]).numpy()] = _REAL
    pixels[((rows <= heights[1]) & (rows > heights[1] - 4)).numpy()] = _FAKE
    return pixels


def _range(real: Tensor) -> tuple[Tensor, Tensor]:
    low, high = real.min(), real.max()
    margin = _MARGIN * (high - low)
    return low - margin, high + margin
