"""The arithmetic that features are computed in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Within, no graph is kept and float32 is float32, whatever the training is allowed.

    TF32 keeps 10 bits of the mantissa, and moves a Fréchet distance in the third digit.
    """
    convolution = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    matmul = torch.backends.cuda.matmul
    before = convolution.fp32_precision, matmul.fp32_precision
    convolution.fp32_precision = matmul.fp32_precision = "ieee"
    try:
        with torch.no_grad():
            yield
    finally:
        convolution.fp32_precision, matmul.fp32_precision = before
