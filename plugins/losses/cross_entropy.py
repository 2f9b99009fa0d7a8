"""D as a classifier of real and fake, which `minimax` and `nonsat` share."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganbench.api import Logits, Scalar


def cross_entropy(real: Logits, fake: Logits, label_smoothing: float) -> Scalar:
    """-E[(1 - s) log D(x) + s log(1 - D(x))] - E[log(1 - D(G(z)))], s = label_smoothing."""
    # softplus(d) - softplus(-d) = d, so that a target of 1 - s adds s d to that of 1.
    return (softplus(-real) + label_smoothing * real).mean() + softplus(fake).mean()


def optimal_logits(log_ratio: Tensor, label_smoothing: float) -> Tensor:
    """The logits of D* = (1 - s) p / (p + q), with p / q = exp(log_ratio)."""
    log_s = torch.tensor(label_smoothing, dtype=log_ratio.dtype).log()  # -inf without smoothing
    return log_ratio + math.log1p(-label_smoothing) - softplus(log_ratio + log_s)
