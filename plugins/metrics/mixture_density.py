"""What is known exactly of a mixture of normal distributions. All in float64, on the CPU."""

import math

import torch
from torch import Tensor

from ganbench.api import Mixture

_FURTHEST = 40.0  # standard deviations; no float64 is nearer to 0 or 1 than the mass beyond
_HALVINGS = 64


def normal_cumulative(z: Tensor) -> Tensor:
    """The distribution function of N(0, 1), with all digits in its lower tail, unlike `ndtr`."""
    return torch.erfc(-z / math.sqrt(2)) / 2


def normal_density(z: Tensor) -> Tensor:
    """The density of N(0, 1)."""
    return torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)


def standardised(mixture: Mixture, x: Tensor) -> Tensor:
    """The places x on the line, as each mode sees them: [n, modes]."""
    return (x[:, None] - mixture.means[:, 0]) / mixture.std


def cumulative(mixture: Mixture, x: Tensor) -> Tensor:
    """F(x) on the line, [n]."""
    return normal_cumulative(standardised(mixture, x)).mean(1)


def log_density(mixture: Mixture, x: Tensor) -> Tensor:
    """log p(x) on the line, [n]; finite far out, where p itself is 0."""
    exponents = -standardised(mixture, x).square() / 2
    modes = len(mixture.means)
    return torch.logsumexp(exponents, 1) - math.log(modes * mixture.std * math.sqrt(2 * math.pi))


def quantiles(mixture: Mixture, shares: Tensor) -> Tensor:
    """F^-1 of shares within (0, 1) on the line, by bisection."""
    reach = _FURTHEST * mixture.std
    low = torch.full_like(shares, float(mixture.means.min()) - reach)
    high = torch.full_like(shares, float(mixture.means.max()) + reach)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = cumulative(mixture, middle) < shares
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2


def box_masses(mixture: Mixture, corners: Tensor, side: float) -> Tensor:
    """The mass in each of the boxes [corner, corner + side], for corners [n, features]."""
    lower = (corners[:, None] - mixture.means) / mixture.std
    upper = lower + side / mixture.std
    # Right of a mode, from its upper tail, where the difference of two numbers near 1 loses all.
    right = lower > 0
    low, high = torch.where(right, -upper, lower), torch.where(right, -lower, upper)
    return (normal_cumulative(high) - normal_cumulative(low)).prod(2).mean(1)
