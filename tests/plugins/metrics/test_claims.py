"""What logits claim under each loss, against what is so."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from ganbench_plugins.losses.fgan import FGAN
from ganbench_plugins.losses.hinge import Hinge
from ganbench_plugins.losses.least_squares import LeastSquares
from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.relativistic import RelativisticPaired
from ganbench_plugins.losses.wasserstein import Wasserstein
from ganbench_plugins.metrics.claims import errors_of

D = np.array([-30.0, -1.5, -0.4, 0.0, 0.3, 0.8, 2.0, 30.0])
RATIO = np.array([-3.0, 0.5, 1.0, -0.1, 0.2, -7.0, 2.0, 0.0])


def errors(loss, logits=D, ratio=RATIO):
    return errors_of(loss)(torch.tensor(logits), torch.tensor(ratio)).numpy()


# The chance of being real for which a logit is optimal.
CLAIMS = [
    (Minimax(), expit(D)),
    (Minimax(label_smoothing=0.2), np.clip(expit(D) / 0.8, 0, 1)),
    (LeastSquares(), np.clip(D, 0, 1)),
    (LeastSquares(a=-1, b=1), np.clip((D + 1) / 2, 0, 1)),
    (LeastSquares(a=1, b=0), np.clip(1 - D, 0, 1)),
    (FGAN("kullback-leibler"), expit(D - 1)),
    (FGAN("pearson"), np.where(D > -2, expit(np.log(np.clip(1 + D / 2, 1e-9, None))), 0)),
    (FGAN("neyman"), expit(D / 2)),
    (FGAN("squared-hellinger"), expit(2 * D)),
]


@pytest.mark.parametrize(("loss", "claims"), CLAIMS)
def test_a_claimed_chance_less_the_true_one(loss, claims):
    np.testing.assert_allclose(errors(loss), claims - expit(RATIO), atol=5e-6)


@pytest.mark.parametrize("loss", [loss for loss, _ in CLAIMS])
def test_the_optimum_has_no_error(loss):
    ratio = np.linspace(-9, 9, 100)
    optimum = loss.optimal_logits(torch.tensor(ratio)).numpy()
    np.testing.assert_allclose(errors(loss, optimum, ratio), 0, atol=5e-6)


def test_a_decision_is_as_wrong_as_it_matters():
    """c = (d + 1) / 2 within 0 and 1, and |p - q| / (p + q) = |2 s - 1|, s the chance."""
    decided, chance = np.clip((D + 1) / 2, 0, 1), expit(RATIO)
    expected = (decided - (chance > 0.5)) * abs(2 * chance - 1)
    np.testing.assert_allclose(errors(Hinge()), expected, atol=1e-12)


@pytest.mark.parametrize("chance", [0.02, 0.5, 0.9])
def test_a_decision_costs_what_it_does_in_the_loss(chance):
    """Of hinge's own excess, p max(0, 1 - d) + q max(0, 1 + d) - 2 min(p, q), it is half."""
    ratio, loss = np.full(5, logit(chance)), Hinge()
    d = np.array([-1.0, -0.7, 0.0, 0.4, 1.0])
    excess = chance * (1 - d) + (1 - chance) * (1 + d) - 2 * min(chance, 1 - chance)
    np.testing.assert_allclose(abs(errors(loss, d, ratio)), excess / 2, atol=1e-12)


def test_not_knowing_is_equally_wrong_under_all_losses():
    nothing = [(Minimax(), 0.0), (LeastSquares(), 0.5), (Hinge(), 0.0), (FGAN("pearson"), 0.0)]
    found = [abs(errors(loss, np.full(8, logit))) for loss, logit in nothing]
    for each in found:
        np.testing.assert_allclose(each, abs(expit(RATIO) - 0.5), atol=2e-6)


@pytest.mark.parametrize(
    "loss",
    [Wasserstein(), RelativisticPaired(), FGAN("total-variation"), LeastSquares(a=1, b=1)],
    ids=str,
)
def test_where_no_finite_logits_are_best_there_is_nothing_to_say(loss):
    assert errors_of(loss) is None
