"""f-GAN: any f-divergence, by its variational bound."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganbench.api import Logits, Scalar

_STEEPEST = 30.0  # where exp is continued by its tangent; exp(30) = 1e13


def _exp(x: Tensor) -> Tensor:
    """exp(x), with a finite value and slope for any logit."""
    bounded = x.clamp(max=_STEEPEST)
    return bounded.exp() * (1 + (x - bounded))


class _Divergence(NamedTuple):
    """T = g_f(v), and f*(g_f(v)) in closed form, as functions of the logits v."""

    critic: Callable[[Logits], Tensor]
    conjugate: Callable[[Logits], Tensor]


_DIVERGENCES: Mapping[str, _Divergence] = {
    "kullback-leibler": _Divergence(lambda v: v, lambda v: _exp(v - 1)),
    "reverse-kullback-leibler": _Divergence(lambda v: -_exp(-v), lambda v: v - 1),
    "pearson": _Divergence(lambda v: v, lambda v: v.square() / 4 + v),
    "neyman": _Divergence(lambda v: 1 - _exp(-v), lambda v: 2 - 2 * _exp(-v / 2)),
    "squared-hellinger": _Divergence(lambda v: 1 - _exp(-v), lambda v: _exp(v) - 1),
    "jensen-shannon": _Divergence(
        lambda v: math.log(2) - softplus(-v), lambda v: softplus(v) - math.log(2)
    ),
    "total-variation": _Divergence(lambda v: v.tanh() / 2, lambda v: v.tanh() / 2),
    "gan": _Divergence(lambda v: -softplus(-v), softplus),
}

# The logits v with g_f(v) = f'(u), as functions of r = log u.
_OPTIMA: Mapping[str, Callable[[Tensor], Tensor]] = {
    "kullback-leibler": lambda r: 1 + r,
    "reverse-kullback-leibler": lambda r: r,
    "pearson": lambda r: 2 * r.expm1(),
    "neyman": lambda r: 2 * r,
    "squared-hellinger": lambda r: r / 2,
    "jensen-shannon": lambda r: r,
    "total-variation": lambda r: torch.full_like(r, math.inf).copysign(r),  # where tanh is +-1
    "gan": lambda r: r,
}


@dataclass(frozen=True)
class FGAN:
    """D estimates an f-divergence between real (P) and fake (Q) samples; G makes it small.

    With f's convex conjugate f* and an activation g_f that takes logits v to where f* is defined:

        -L_D = E[g_f(d_real)] - E[f*(g_f(d_fake))]  <=  D_f(P || Q) = E_Q[f(p / q)]
        L_G  = -E[f*(g_f(d_fake))], or -E[g_f(d_fake)] where it is not to saturate

    with equality where g_f(v(x)) = f'(p(x) / q(x)). With s(v) = log(1 + exp(-v)):

        divergence                f(u)                          g_f(v)        f*(t)
        kullback-leibler          u log u                       v             exp(t - 1)
        reverse-kullback-leibler  -log u                        -exp(-v)      -1 - log(-t)
        pearson                   (u - 1)^2                     v             t^2 / 4 + t
        neyman                    (1 - u)^2 / u                 1 - exp(-v)   2 - 2 sqrt(1 - t)
        squared-hellinger         (sqrt(u) - 1)^2               1 - exp(-v)   t / (1 - t)
        jensen-shannon            u log u - (u+1) log((u+1)/2)  log 2 - s(v)  -log(2 - exp(t))
        total-variation           |u - 1| / 2                   tanh(v) / 2   t
        gan                       u log u - (u+1) log(u+1)      -s(v)         -log(1 - exp(t))

    Every g_f increases, as in the paper's table 2, so that larger logits are more real; where the
    appendix has exp(v) for exp(-v) the logits are turned round. Its f for Jensen-Shannon gives
    twice the divergence's usual definition. `gan` is `minimax` or, not saturating, `nonsat`.
    pearson's f* rises again below t = -2, where a saturating G lowers its logits. Beyond an
    exponent of 30 each exp is continued along its tangent.

    Args:
        divergence: D_f; the paper prefers none.
        saturating: whether G minimises what D maximises (equation 6) or takes the alternative of
            section 3.2.

    References:
        f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization
        (Nowozin et al., 2016), tables 1, 2 and 6
        https://arxiv.org/abs/1606.00709
    """

    version: ClassVar[int] = 1

    divergence: Literal[
        "kullback-leibler",
        "reverse-kullback-leibler",
        "pearson",
        "neyman",
        "squared-hellinger",
        "jensen-shannon",
        "total-variation",
        "gan",
    ] = "kullback-leibler"
    saturating: bool = True

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        critic, conjugate = _DIVERGENCES[self.divergence]
        return conjugate(fake).mean() - critic(real).mean()

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        critic, conjugate = _DIVERGENCES[self.divergence]
        return -(conjugate if self.saturating else critic)(fake).mean()

    def optimal_logits(self, log_ratio: Tensor) -> Tensor:
        return _OPTIMA[self.divergence](log_ratio)
