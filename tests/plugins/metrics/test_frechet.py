"""The distance of moments: by hand, by scipy's matrix square root, and its noise by repetition."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import linalg

from ganbench.api import Features, Summary
from ganbench.features import Gatherer
from ganbench_plugins.metrics.frechet import (
    frechet_distance,
    frechet_estimate,
    warn_if_singular,
)


def normal_rows(count: int, size: int, seed: int) -> torch.Tensor:
    """Correlated rows, so that no covariance is diagonal."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, size, generator=generator, dtype=torch.float64)
    return rows @ torch.randn(size, size, generator=generator, dtype=torch.float64) + seed


def summary(rows: torch.Tensor) -> Summary:
    gatherer = Gatherer({"moments"}, len(rows))
    gatherer.add(Features(rows))
    return gatherer.summary()


def moments(mean: list[float], covariance: torch.Tensor) -> Summary:
    return Summary(1000, {"mean": vector(*mean), "covariance": covariance.double()})


def vector(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def scipy_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """pytorch-fid's formula on scipy's matrix square root."""
    cov1, cov2 = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    gap = real.mean(0) - generated.mean(0)
    return float(gap @ gap + np.trace(cov1 + cov2 - 2 * linalg.sqrtm(cov1 @ cov2).real))


def test_in_one_dimension_it_is_the_gap_of_means_and_of_deviations() -> None:
    # N(1, 2^2) and N(4, 5^2): (4 - 1)^2 + (5 - 2)^2
    distance = frechet_distance(moments([1], vector(4).diag()), moments([4], vector(25).diag()))
    assert distance == pytest.approx(18, rel=1e-14)


def test_diagonal_covariances_add_up_by_axis() -> None:
    one = moments([0, 0, 0], vector(1, 4, 0).diag())
    two = moments([1, 0, 2], vector(9, 16, 1).diag())
    assert frechet_distance(one, two) == pytest.approx(5 + (2**2 + 2**2 + 1**2), rel=1e-14)


def test_commuting_covariances_in_a_rotated_basis() -> None:
    cos, sin = math.cos(0.7), math.sin(0.7)
    turn = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    one = moments([0, 0], turn @ vector(1, 4).diag() @ turn.T)
    two = moments([0, 0], turn @ vector(9, 16).diag() @ turn.T)
    assert frechet_distance(one, two) == pytest.approx(8, rel=1e-13)


def test_equal_moments_are_at_distance_0() -> None:
    same = summary(normal_rows(200, 30, seed=2))
    assert 0 <= frechet_distance(same, same) <= 1e-12 * same.covariance.trace().item()


@pytest.mark.parametrize("size", [2, 16, 64])
def test_it_agrees_with_the_matrix_square_root(size: int) -> None:
    real, generated = (normal_rows(10 * size, size, seed) for seed in (1, 2))
    ours = frechet_distance(summary(real), summary(generated))
    assert ours == pytest.approx(scipy_distance(real.numpy(), generated.numpy()), rel=1e-8)


def test_it_is_symmetric() -> None:
    one, two = (summary(normal_rows(50, 8, seed)) for seed in (1, 2))
    assert frechet_distance(one, two) == pytest.approx(frechet_distance(two, one), rel=1e-12)


def test_singular_covariances_have_an_exact_distance() -> None:
    # C = A'A for the centred rows A over sqrt(n - 1): tr (C1 C2)^(1/2) is A1 A2's nuclear norm.
    rows1, rows2 = normal_rows(5, 40, seed=1), normal_rows(9, 40, seed=2)
    ours = frechet_distance(summary(rows1), summary(rows2))
    a1, a2 = ((rows - rows.mean(0)) / math.sqrt(len(rows) - 1) for rows in (rows1, rows2))
    overlap = torch.linalg.svdvals(a1 @ a2.T).sum()
    gap = (rows1.mean(0) - rows2.mean(0)).square().sum()
    exact = gap + a1.square().sum() + a2.square().sum() - 2 * overlap
    assert ours == pytest.approx(exact.item(), rel=1e-6)


def test_constant_samples_have_a_distance_that_nothing_moves() -> None:
    still = summary(torch.full((4, 3), 2.0))
    estimate = frechet_estimate(moments([0, 0, 0], torch.eye(3)), still)
    assert estimate.value == pytest.approx(3 * 4 + 3)
    assert estimate.noise == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_has_no_distance(value: float) -> None:
    broken, sound = torch.full((4, 2), value), normal_rows(4, 2, seed=1)
    for real, generated in ((broken, sound), (sound, broken)):
        estimate = frechet_estimate(summary(real), summary(generated))
        assert math.isnan(estimate.value)
        assert math.isnan(estimate.noise)
        assert math.isnan(frechet_distance(summary(real), summary(generated)))


def test_the_estimate_has_the_same_value() -> None:
    real, generated = (summary(normal_rows(50, 8, seed)) for seed in (1, 2))
    estimate = frechet_estimate(real, generated)
    assert estimate.value == pytest.approx(frechet_distance(real, generated), rel=1e-12)


def test_the_noise_in_one_dimension_is_that_of_the_delta_method() -> None:
    # fd = (m_g - m_r)^2 + (s_g - s_r)^2, where y moves m_g by y / N and s_g^2 by (y^2 - s_g^2) / N.
    real, generated = normal_rows(50, 1, seed=1), normal_rows(80, 1, seed=2)
    y = generated.numpy().ravel() - generated.mean().item()
    gap = generated.mean().item() - real.mean().item()
    ratio = real.std().item() / generated.std().item()
    moved = 2 * gap * y + (1 - ratio) * y**2
    estimate = frechet_estimate(summary(real), summary(generated))
    assert estimate.noise == pytest.approx(moved.std(ddof=1) / math.sqrt(80), rel=1e-6)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.3, 1.3)], ids=["equal", "unequal"])
@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize(("count", "most"), [(32, 1.9), (320, 1.5)])
def test_the_noise_is_the_spread_of_repeated_draws(
    count: int, most: float, rectified: bool, shift: float, scale: float
) -> None:
    generator, size = torch.Generator().manual_seed(0), 16
    mixing = torch.randn(size, size, generator=generator)

    def draw(count: int) -> torch.Tensor:
        rows = torch.randn(count, size, generator=generator)
        return (rows.relu() if rectified else rows) @ mixing

    real = summary(draw(2000))
    estimates = [frechet_estimate(real, summary(scale * draw(count) + shift)) for _ in range(200)]
    values, noises = np.array(estimates).T
    assert 0.85 < noises.mean() / values.std(ddof=1) < most


def test_the_noise_is_finite_where_the_covariances_are_singular() -> None:
    real, generated = summary(normal_rows(5, 40, seed=1)), summary(normal_rows(9, 40, seed=2))
    estimate = frechet_estimate(real, generated)
    assert 0 < estimate.noise < estimate.value


def test_summaries_stay_as_they_were_and_the_same_comes_out_again() -> None:
    real, generated = (summary(normal_rows(50, 8, seed)) for seed in (1, 2))
    before = [{n: t.clone() for n, t in each.tensors.items()} for each in (real, generated)]
    assert frechet_estimate(real, generated) == frechet_estimate(real, generated)
    for each, old in zip((real, generated), before, strict=True):
        assert all(torch.equal(tensor, old[name]) for name, tensor in each.tensors.items())


def test_a_singular_covariance_is_warned_of() -> None:
    said = "3 generated samples give 3 features a covariance of rank 2 at most, .* use more than 3"
    with pytest.warns(UserWarning, match=said):
        warn_if_singular(summary(torch.zeros(3, 3)), "generated")
    with pytest.warns(UserWarning, match="2 generated samples give 3 features"):
        warn_if_singular(summary(torch.zeros(4, 3)), "generated", used=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_singular(summary(torch.zeros(4, 3)), "generated")
