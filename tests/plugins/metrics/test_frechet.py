import math
import warnings

import numpy as np
import pytest
import torch

from ganbench.api import BadInput
from ganbench_plugins.metrics.frechet import Moments, frechet_distance


def normal_rows(count: int, size: int, seed: int) -> torch.Tensor:
    """Correlated rows, so that no covariance is diagonal."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, size, generator=generator, dtype=torch.float64)
    return rows @ torch.randn(size, size, generator=generator, dtype=torch.float64) + seed


def moments_of(*batches: torch.Tensor) -> Moments:
    moments = Moments()
    for batch in batches:
        moments.update(batch)
    return moments


def vector(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_moments_are_those_of_all_rows_at_once() -> None:
    rows = normal_rows(101, 7, seed=3)
    moments = moments_of(rows[:40], rows[40:40], rows[40:41], rows[41:])
    assert moments.count == 101
    np.testing.assert_allclose(moments.mean, rows.numpy().mean(0), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance, np.cov(rows.numpy(), rowvar=False), rtol=1e-12)


def test_moments_by_hand() -> None:
    moments = moments_of(torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 4.0]]))
    assert moments.mean.tolist() == [1, 2]
    assert moments.covariance.tolist() == [[2, 4], [4, 8]]


def test_a_large_mean_costs_no_digits() -> None:
    rows = normal_rows(1000, 3, seed=1)
    far = moments_of(*torch.split(rows + 2.0**30, 100)).covariance
    np.testing.assert_allclose(far, np.cov(rows.numpy(), rowvar=False), rtol=1e-6)


def test_what_was_read_stays_when_more_comes() -> None:
    moments = moments_of(torch.tensor([[0.0], [2.0]]))
    mean, covariance = moments.mean, moments.covariance
    moments.update(torch.tensor([[100.0]]))
    assert (mean.item(), covariance.item()) == (1, 2)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_samples_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match=f"needs at least 2 samples, and got {count}"):
        _ = moments_of(torch.zeros(count, 3)).covariance


def test_a_singular_covariance_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="3 generated samples give 3 features a covariance of r"):
        moments_of(torch.zeros(3, 3)).warn_if_singular("generated")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moments_of(torch.zeros(4, 3)).warn_if_singular("generated")


def test_in_one_dimension_it_is_the_gap_of_means_and_of_deviations() -> None:
    # N(1, 2^2) and N(4, 5^2): (4 - 1)^2 + (5 - 2)^2
    distance = frechet_distance(vector(1), vector(4)[None], vector(4), vector(25)[None])
    assert distance == pytest.approx(18, rel=1e-14)


def test_diagonal_covariances_add_up_by_axis() -> None:
    distance = frechet_distance(
        vector(0, 0, 0), vector(1, 4, 0).diag(), vector(1, 0, 2), vector(9, 16, 1).diag()
    )
    assert distance == pytest.approx(5 + (2**2 + 2**2 + 1**2), rel=1e-14)


def test_commuting_covariances_in_a_rotated_basis() -> None:
    cos, sin = math.cos(0.7), math.sin(0.7)
    turn = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    cov1, cov2 = turn @ vector(1, 4).diag() @ turn.T, turn @ vector(9, 16).diag() @ turn.T
    zero = vector(0, 0)
    assert frechet_distance(zero, cov1, zero, cov2) == pytest.approx(8, rel=1e-13)


def test_equal_moments_are_at_distance_0() -> None:
    moments = moments_of(normal_rows(200, 30, seed=2))
    distance = frechet_distance(moments.mean, moments.covariance, moments.mean, moments.covariance)
    assert 0 <= distance <= 1e-12 * moments.covariance.trace().item()


@pytest.mark.parametrize("size", [2, 16, 64])
def test_it_agrees_with_the_matrix_square_root(size: int, scipy_distance) -> None:
    one, two = (moments_of(normal_rows(10 * size, size, seed)) for seed in (1, 2))
    ours = frechet_distance(one.mean, one.covariance, two.mean, two.covariance)
    theirs = scipy_distance(one.mean, one.covariance, two.mean, two.covariance)
    assert ours == pytest.approx(theirs, rel=1e-8)


def test_it_is_symmetric() -> None:
    one, two = (moments_of(normal_rows(50, 8, seed)) for seed in (1, 2))
    there = frechet_distance(one.mean, one.covariance, two.mean, two.covariance)
    back = frechet_distance(two.mean, two.covariance, one.mean, one.covariance)
    assert there == pytest.approx(back, rel=1e-12)


def test_singular_covariances_have_an_exact_distance() -> None:
    # C = A'A for the centred rows A over sqrt(n - 1): tr (C1 C2)^(1/2) is A1 A2's nuclear norm.
    rows1, rows2 = normal_rows(5, 40, seed=1), normal_rows(9, 40, seed=2)
    one, two = moments_of(rows1), moments_of(rows2)
    ours = frechet_distance(one.mean, one.covariance, two.mean, two.covariance)
    a1, a2 = ((rows - rows.mean(0)) / math.sqrt(len(rows) - 1) for rows in (rows1, rows2))
    overlap = torch.linalg.svdvals(a1 @ a2.T).sum()
    gap = (rows1.mean(0) - rows2.mean(0)).square().sum()
    exact = gap + a1.square().sum() + a2.square().sum() - 2 * overlap
    assert ours == pytest.approx(exact.item(), rel=1e-6)


def test_constant_samples_have_a_distance() -> None:
    still = moments_of(torch.full((4, 3), 2.0))
    distance = frechet_distance(vector(0, 0, 0), torch.eye(3), still.mean, still.covariance)
    assert distance == pytest.approx(3 * 4 + 3)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_has_no_distance(value: float) -> None:
    distance = frechet_distance(vector(value), vector(1)[None], vector(0), vector(1)[None])
    assert math.isnan(distance)
