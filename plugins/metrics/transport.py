"""What it costs to move generated points to where a mixture's mass is."""

from typing import NamedTuple

import torch
from ot import emd
from torch import Tensor

from ganbench.api import Estimate, Mixture

from .mixture_density import normal_cumulative, normal_density, quantiles, standardised

_PIVOTS = 10**7  # a limit of the solver's; 5,000 points against 500 have needed some 10^5


class Transport(NamedTuple):
    """The cheapest one.

    Args:
        cost: the mean of |move|^p.
        potentials: by how much `cost` grows with the weight of each point, but for a constant.
    """

    cost: float
    potentials: Tensor

    def distance(self, power: int) -> Estimate:
        """Return cost^(1/p), with its noise by the delta method."""
        value = self.cost ** (1 / power)
        slope = value ** (1 - power) / power if value else 0.0
        return Estimate(value, slope * float(self.potentials.std()) / len(self.potentials) ** 0.5)


def on_line(points: Tensor, mixture: Mixture, power: int) -> Transport:
    """Move points, [N, 1], to the density itself; exact for a power of 1 or 2."""
    centre = mixture.means.mean()
    mixture = Mixture(mixture.means - centre, mixture.std)
    x = (points[:, 0] - centre).sort().values
    shares = torch.arange(1, len(x), dtype=x.dtype) / len(x)
    # The mass between two borders belongs to the point of that rank.
    borders = quantiles(mixture, shares)
    rises = (x[1:] - borders).abs() ** power - (x[:-1] - borders).abs() ** power
    potentials = torch.cat([x.new_zeros(1), rises.cumsum(0)])
    cost = _COSTS_ON_LINE[power](x, borders, mixture)
    return Transport(max(float(cost), 0.0), potentials)


def _mean_distance(x: Tensor, borders: Tensor, mixture: Mixture) -> Tensor:
    """The integral of |F_g - F_r|: between two points F_g is constant, and F_r meets it once."""

    def below(t: Tensor) -> Tensor:  # the integral of F_r up to t
        z = standardised(mixture, t)
        return mixture.std * (z * normal_cumulative(z) + normal_density(z)).mean(1)

    left, right, turn = x[:-1], x[1:], borders.clamp(x[:-1], x[1:])
    share = torch.arange(1, len(x), dtype=x.dtype) / len(x)
    within = share * (2 * turn - left - right) + below(left) + below(right) - 2 * below(turn)
    tails = below(x[:1]) + below(x[-1:]) - x[-1:]
    return within.sum() + tails.sum()


def _mean_square(x: Tensor, borders: Tensor, mixture: Mixture) -> Tensor:
    """The integral of (F_g^-1 - F_r^-1)^2, where F_g^-1 is a point and F_r^-1 is integrated."""
    z, means = standardised(mixture, borders), mixture.means[:, 0]
    up_to = (means * normal_cumulative(z) - mixture.std * normal_density(z)).mean(1)
    ends = up_to.new_zeros(1)  # the whole integral is the mean, 0
    integrals = torch.cat([ends, up_to, ends]).diff()
    second_moment = mixture.std**2 + means.square().mean()
    return x.square().mean() + second_moment - 2 * (x * integrals).sum()


_COSTS_ON_LINE = {1: _mean_distance, 2: _mean_square}


def in_plane(points: Tensor, targets: Tensor, power: int) -> Transport:
    """Move points, [N, 2], to targets, [M, 2]; all points weigh the same, and all targets."""
    exact = "donot_use_mm_for_euclid_dist"
    costs = torch.cdist(points, targets, compute_mode=exact) ** power
    _, log = emd([], [], costs.numpy(), numItermax=_PIVOTS, log=True)
    return Transport(float(log["cost"]), torch.from_numpy(log["u"]))


def spread(mixture: Mixture, count: int) -> Tensor:
    """About `count` points that stand for the mixture: as many of each mode, evenly spread."""
    modes, features = mixture.means.shape
    sequence = torch.quasirandom.SobolEngine(features, scramble=True, seed=0)
    shares = sequence.draw(max(1, count // modes), dtype=torch.float64)
    offsets: Tensor = torch.special.ndtri(shares.clamp(1e-9, 1 - 1e-9))
    return (mixture.means[:, None] + mixture.std * offsets).flatten(0, 1)
