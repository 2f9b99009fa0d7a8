"""How far D is from the best D that there is against the present G."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from scipy.signal import fftconvolve
from torch import Tensor

from ganbench.api import Direction, Discriminator, Estimate, Logits, Loss

from .claims import SURE, Errors, errors_of
from .known_density import KnownDensityMetric
from .mixture_density import log_density

_REACH = 8.0  # how far beyond the outermost modes the nodes go, in standard deviations
_STEP = 0.01  # from node to node, in standard deviations
_NARROWEST = 2.0  # a kernel, in steps
_WIDEST = 6.0  # where a kernel ends, in its own standard deviations
_GROUPS = 20  # of the jackknife


class _Judged(NamedTuple):
    """D's logits at the nodes and of the generated points, and what tells how wrong they are."""

    errors: Errors
    at_nodes: Logits
    of_points: Logits


@dataclass
class DiscriminatorGap(KnownDensityMetric):
    """How far D is from D*, the discriminator that its loss would have against the present G.

        d_gap = (E[e(x)^2])^(1/2),    half of the x real and half generated
        e     = C(x) - p(x) / (p(x) + q(x))

    p is the real density, and q the generated one. C is the chance of being real that D claims:
    the one for which its logit would be optimal under this loss, so sigmoid(d) for `nonsat`, and
    d itself, within [0, 1], for `lsgan`. Losses whose optimal logits only tell real from fake,
    as of `hinge`, claim a decision c, 0 at the one and 1 at the other:

        e     = |c(x) - c*(x)| |p(x) - q(x)| / (p(x) + q(x)),    c* = 1 where p > q, else 0

    which is the risk that D takes beyond D*'s. Either way 0 is D* and 1 is the opposite of the
    truth, and a D that can't tell has e = |p - q| / (p + q) / 2, so that all losses are on one
    scale. D* is the loss's own: penalties and augmentations keep D from it by intent. NaN for
    losses that have no optimum point by point, or none that is finite (`wasserstein`, `rpgan`,
    `fgan-tv`).

    q is a kernel density estimate of the N points by Scott's rule, and the expectation a sum over
    nodes 0.01 standard deviations apart. Its errors keep D* itself from 0: with N = 2,000 by 0.018
    where G is perfect and 0.007 to 0.016 elsewhere, with N = 10,000 by 0.010 and less; and a G of
    several separate peaks is smoothed too much.

    The noise, with D as it is, is that of a jackknife over 20 groups of the points. Over the true
    spread it is 0.9 to 1.2, within a fifth of itself, where D is far from D*, and 1.2 to 1.6 at
    D*; it is 0.7 at worst where G makes almost a single point.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), equation 2
        https://arxiv.org/abs/1406.2661
        Multivariate Density Estimation (Scott, 1992), the bandwidth
        https://doi.org/10.1002/9780470316849
    """

    version: ClassVar[int] = 1
    name: ClassVar[str] = "optimal-discriminator"
    wants: ClassVar[str] = "points on a line of known density, as the data set 'gaussian' has"
    most_features: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {"d_gap": "lower"}

    _judged: _Judged | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return ("scott-kde",)

    def judge(self, discriminator: Discriminator, loss: Loss) -> None:
        errors = errors_of(loss)
        if errors is None:
            return
        nodes = self._nodes()
        places = torch.cat([nodes, self.points[:, 0]])[:, None]
        with torch.no_grad():
            logits = discriminator(places.float().to(self._device)).double().cpu()
        self._judged = _Judged(errors, logits[: len(nodes)], logits[len(nodes) :])

    def score(self, points: Tensor) -> dict[str, Estimate]:
        judged, self._judged = self._judged, None
        if judged is None:
            return {"d_gap": Estimate(math.nan)}
        gaps = self._gaps(points[:, 0], judged)
        whole, parts = gaps[0], gaps[1:]
        noise = ((len(parts) - 1) * parts.var(correction=0)).sqrt()
        return {"d_gap": Estimate(float(whole), float(noise))}

    def _gaps(self, points: Tensor, judged: _Judged) -> Tensor:
        """The gap by all points, then by all but each group of them."""
        nodes = self._nodes()
        step = _STEP * self._mixture.std
        place = ((points - nodes[0]) / step).round()
        inside = (place >= 0) & (place < len(nodes))
        groups = min(_GROUPS, len(points))
        group = torch.arange(len(points)) % groups
        slot = (group * len(nodes) + place)[inside].long()
        hits = torch.bincount(slot, minlength=groups * len(nodes)).reshape(groups, -1)
        count = _and_without_each(torch.bincount(group))
        width = max(_bandwidth(points[inside]) / step, _NARROWEST)
        fake = _smooth(_and_without_each(hits), width) / (count[:, None] * step)
        log_real = log_density(self._mixture, nodes)
        ratio = (log_real - fake.clamp(min=torch.finfo(fake.dtype).tiny).log()).clamp(-SURE, SURE)
        errors = judged.errors(judged.at_nodes, ratio)
        within = (errors.square() * (log_real.exp() + fake)).sum(1) * step
        # Beyond the nodes nothing is real.
        errors = judged.errors(judged.of_points, torch.full_like(points, -SURE))
        beyond = torch.bincount(group, errors.square().where(~inside, 0))
        return ((within + _and_without_each(beyond) / count) / 2).sqrt()

    def _nodes(self) -> Tensor:
        means, std = self._mixture.means, self._mixture.std
        low, high = float(means.min()) - _REACH * std, float(means.max()) + _REACH * std
        return torch.linspace(low, high, round((high - low) / (_STEP * std)) + 1, dtype=means.dtype)


def _bandwidth(points: Tensor) -> float:
    """Scott's rule; the quartiles, if they are closer, keep out what is far from the others."""
    if len(points) < 2:
        return 0.0
    quartiles = np.quantile(points.numpy(), [0.25, 0.75])
    spread = min(float(points.std()), float(quartiles[1] - quartiles[0]) / 1.349)
    return spread * float(len(points) ** -0.2)


def _smooth(hits: Tensor, width: float) -> Tensor:
    """Each row as a mixture of normals at the hits; `width` is their std, in nodes."""
    reach = min(math.ceil(_WIDEST * width), hits.shape[1])
    kernel = np.exp(-((np.arange(-reach, reach + 1) / width) ** 2) / 2)
    kernel /= width * math.sqrt(2 * math.pi)
    smooth = fftconvolve(hits.double().numpy(), kernel[None], mode="same", axes=1)
    return torch.from_numpy(smooth).clamp(min=0)


def _and_without_each(groups: Tensor) -> Tensor:
    """The sum of all rows, then of all but each."""
    whole = groups.sum(0, keepdim=True)
    return torch.cat([whole, whole - groups])
