"""D's optimal logits, against minimising each loss at one place, and who has them."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from ganbench.catalogue import LOSS
from ganbench.plugins import discover
from ganbench_plugins.losses.fgan import FGAN
from ganbench_plugins.losses.hinge import Hinge
from ganbench_plugins.losses.least_squares import LeastSquares
from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.non_saturating import NonSaturating

RATIOS = [-4.0, -1.0, -0.2, 0.3, 2.0, 5.0]
DIVERGENCES = [
    "kullback-leibler",
    "reverse-kullback-leibler",
    "pearson",
    "neyman",
    "squared-hellinger",
    "jensen-shannon",
    "gan",
]
LOSSES = [
    Minimax(),
    Minimax(label_smoothing=0.1),
    NonSaturating(),
    NonSaturating(label_smoothing=0.3),
    LeastSquares(),
    LeastSquares(a=-1, b=1, c=0),
    LeastSquares(a=2, b=-3),
    *map(FGAN, DIVERGENCES),
    FGAN("gan", saturating=False),
]


def column(value):
    return torch.tensor([value], dtype=torch.float64)


def optimum(loss, ratio):
    return loss.optimal_logits(column(ratio)).item()


def cost(loss, logit, ratio):
    """p A(d) + q B(d), where L_D = E_p[A(d)] + E_q[B(d)], but for a constant."""
    p = 1 / (1 + math.exp(-ratio))
    as_real = loss.discriminator_loss(column(logit), column(0.0)).item()
    as_fake = loss.discriminator_loss(column(0.0), column(logit)).item()
    return p * as_real + (1 - p) * as_fake


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_they_minimise_the_loss_at_each_place(loss, ratio):
    found = optimum(loss, ratio)
    searched = minimize_scalar(
        lambda logit: cost(loss, logit, ratio), bracket=(found - 0.9, found + 1.1), tol=1e-10
    )
    assert found == pytest.approx(searched.x, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("ratio", RATIOS)
def test_hinges_are_at_its_margins(ratio):
    found = optimum(Hinge(), ratio)
    assert found == math.copysign(1, ratio)
    least = cost(Hinge(), found, ratio)
    assert all(
        cost(Hinge(), logit, ratio) > least for logit in found + np.array([-2, -0.1, 0.1, 2])
    )
    assert optimum(Hinge(), 0.0) == 0


@pytest.mark.parametrize("ratio", [-2.0, 0.0, 0.7])
def test_total_variations_are_out_of_reach(ratio):
    assert optimum(FGAN("total-variation"), ratio) == math.copysign(math.inf, ratio)


# As functions of u = p_real / p_fake: the closed forms of tests/theory.
CLOSED = [
    (Minimax(), math.log),
    (NonSaturating(), math.log),
    (Minimax(label_smoothing=0.1), lambda u: math.log(0.9 * u / (1 + 0.1 * u))),
    (LeastSquares(), lambda u: u / (u + 1)),
    (LeastSquares(a=-1, b=1, c=0), lambda u: (u - 1) / (u + 1)),
    (FGAN("kullback-leibler"), lambda u: 1 + math.log(u)),
    (FGAN("reverse-kullback-leibler"), math.log),
    (FGAN("pearson"), lambda u: 2 * (u - 1)),
    (FGAN("neyman"), lambda u: 2 * math.log(u)),
    (FGAN("squared-hellinger"), lambda u: math.log(u) / 2),
    (FGAN("jensen-shannon"), math.log),
    (FGAN("gan"), math.log),
]


@pytest.mark.parametrize(("loss", "form"), CLOSED)
def test_closed_forms(loss, form):
    for ratio in RATIOS:
        assert optimum(loss, ratio) == pytest.approx(form(math.exp(ratio)), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "loss", [loss for loss in [*LOSSES, Hinge()] if loss != FGAN("pearson")], ids=str
)
def test_huge_ratios_have_finite_logits_of_the_same_kind(loss, dtype):
    ratios = torch.tensor([[-1e4, -50.0, 0.0], [1.0, 50.0, 1e4]], dtype=dtype)
    logits = loss.optimal_logits(ratios)
    assert logits.isfinite().all()
    assert logits.dtype == dtype
    assert logits.shape == (2, 3)


@pytest.mark.parametrize(("cls", "s"), [*product([Minimax, NonSaturating], [0.1, 0.5])])
def test_smoothing_keeps_them_below_the_odds_of_its_target(cls, s):
    assert optimum(cls(s), 1e4) == pytest.approx(math.log((1 - s) / s), rel=1e-12)


def test_who_has_them():
    having = {c.name for c in discover().of_kind(LOSS) if hasattr(c.cls, "optimal_logits")}
    assert having == {"fgan", "hinge", "lsgan", "minimax", "nonsat"}
