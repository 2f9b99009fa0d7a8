import math

import numpy as np
import pytest
import torch

from ganbench.api import BadInput, Data, Mixture, Unsupported
from ganbench_plugins.metrics.fd_points import FdPoints, mixture_moments

CPU = torch.device("cpu")


def mixture(means: list[list[float]], std: float) -> Mixture:
    return Mixture(torch.tensor(means, dtype=torch.float64), std)


def checked(reference: Data) -> FdPoints:
    metric = FdPoints()
    metric.check(reference)
    return metric


def known(count: int = 10) -> Data:
    """Two modes at -3 and 3 on the first axis: mean 0, covariance diag(4 + 9, 4)."""
    density = mixture([[-3, 0], [3, 0]], std=2)
    return Data(density.draw(count, torch.Generator().manual_seed(0)), "train", mixture=density)


def test_the_moments_of_a_mixture_by_hand() -> None:
    mean, covariance = mixture_moments(known().mixture)
    assert mean.tolist() == [0, 0]
    assert covariance.tolist() == [[13, 0], [0, 4]]


def test_the_moments_of_a_mixture_are_those_of_many_samples() -> None:
    density = mixture([[0, 1], [2, -1], [5, 5]], std=0.5)
    rows = density.draw(400_000, torch.Generator().manual_seed(0)).numpy()
    mean, covariance = mixture_moments(density)
    np.testing.assert_allclose(mean, rows.mean(0), atol=0.02)
    np.testing.assert_allclose(covariance, np.cov(rows, rowvar=False), atol=0.05)


def test_a_known_density_is_taken_exactly_whatever_was_drawn_from_it() -> None:
    metric = checked(known(count=3))
    assert metric.settings == ("exact-reference",)
    metric.start(known(count=3), CPU)
    # Mean (1, 0), covariance diag(32/3, 2/3).
    metric.update(torch.tensor([[-3.0, 0.0], [5.0, 0.0], [1.0, 1.0], [1.0, -1.0]]))
    expected = 1 + (math.sqrt(13) - math.sqrt(32 / 3)) ** 2 + (2 - math.sqrt(2 / 3)) ** 2
    assert metric.result() == {"fd": pytest.approx(expected, rel=1e-12)}


def test_elsewhere_the_samples_are_the_reference() -> None:
    reference = Data(torch.tensor([[0.0], [2.0]]), "all")  # mean 1, variance 2
    metric = checked(reference)
    assert metric.settings == ("sample-reference",)
    metric.start(reference, CPU)
    metric.update(torch.tensor([[10.0], [14.0]]))  # mean 12, variance 8
    assert metric.result() == {"fd": pytest.approx(123, rel=1e-12)}


def test_many_samples_of_the_density_score_almost_0() -> None:
    reference = known(20_000)
    metric = checked(reference)
    metric.start(reference, CPU)
    metric.update(reference.samples)
    assert 0 < metric.result()["fd"] < 0.01


def test_result_starts_anew_and_needs_samples() -> None:
    metric = checked(known())
    metric.start(known(), CPU)
    metric.update(known().samples)
    metric.result()
    with pytest.raises(BadInput, match="at least 2 samples, and got 0"):
        metric.result()


def test_images_are_refused() -> None:
    images = Data(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), "all")
    with pytest.raises(Unsupported, match=r"fd-points needs points.*images of shape \(1, 8, 8\)"):
        FdPoints().check(images)
