"""Masses, densities and quantiles of mixtures against scipy's."""

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad
from scipy.stats import multivariate_normal, norm

from ganbench.api import Mixture
from ganbench_plugins.metrics.mixture_density import (
    box_masses,
    cumulative,
    log_density,
    quantiles,
)

TWO = Mixture(torch.tensor([[-1.0], [3.0]], dtype=torch.float64), 0.7)
PLANE = Mixture(torch.tensor([[0.0, 1.0], [2.0, -1.0]], dtype=torch.float64), 0.5)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def test_on_the_line_against_scipy():
    x = np.linspace(-5, 7, 41)
    left, right = norm(-1, 0.7), norm(3, 0.7)
    expected = (left.cdf(x) + right.cdf(x)) / 2
    np.testing.assert_allclose(cumulative(TWO, tensor(x)), expected, rtol=1e-12)
    expected = np.log((left.pdf(x) + right.pdf(x)) / 2)
    np.testing.assert_allclose(log_density(TWO, tensor(x)), expected, rtol=1e-12)


def test_log_density_is_finite_where_the_density_is_0():
    assert log_density(TWO, tensor([1e6])).item() == pytest.approx(-((1e6 - 3) ** 2) / 0.98)


def test_quantiles_turn_the_distribution_function_round():
    shares = tensor([1e-12, 0.01, 0.3, 0.5, 0.75, 1 - 1e-6])
    places = quantiles(TWO, shares)
    np.testing.assert_allclose(cumulative(TWO, places), shares, rtol=1e-12)
    one = Mixture(tensor([[5.0]]), 2.0)
    np.testing.assert_allclose(quantiles(one, shares), norm(5, 2).ppf(shares), rtol=1e-10)


def test_a_boxs_mass_against_quadrature():
    def density(y, x):
        return sum(multivariate_normal(m, 0.25).pdf([x, y]) for m in PLANE.means.tolist()) / 2

    corners = tensor([[-0.3, 0.4], [1.0, -1.0], [0.0, 0.0]])
    expected = [dblquad(density, x, x + 0.8, y, y + 0.8)[0] for x, y in corners.tolist()]
    np.testing.assert_allclose(box_masses(PLANE, corners, 0.8), expected, rtol=1e-8)


def test_boxes_that_cover_the_plane_hold_all_mass():
    axis = torch.arange(-8, 10, 0.25, dtype=torch.float64)
    corners = torch.cartesian_prod(axis, axis)
    assert box_masses(PLANE, corners, 0.25).sum().item() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("side", [-1, 1])
def test_far_out_a_mass_keeps_its_digits(side):
    one = Mixture(tensor([[0.0]]), 1.0)
    low = 20.0 if side > 0 else -21.0
    expected = norm.sf(20) - norm.sf(21)
    assert box_masses(one, tensor([[low]]), 1.0).item() == pytest.approx(expected, rel=1e-12)
