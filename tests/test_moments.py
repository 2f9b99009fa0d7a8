import numpy as np
import pytest
import torch

from ganbench.errors import BadInput
from ganbench.moments import Moments


@pytest.mark.parametrize("cuts", [[], [1], [7, 8, 9], [250, 260]])
def test_batches_give_what_numpy_gives_of_all_rows(cuts):
    rows = torch.randn(300, 5, generator=torch.Generator().manual_seed(0)) * 3 + 2
    moments = Moments()
    for piece in np.split(rows.numpy(), cuts):
        moments.update(torch.from_numpy(piece))
    assert moments.count == 300
    exact = rows.double().numpy()
    np.testing.assert_allclose(moments.mean, exact.mean(0), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance, np.cov(exact, rowvar=False), rtol=1e-12)


def test_a_large_mean_costs_no_digits():
    rows = torch.randn(1000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    far = Moments()
    for piece in (rows + 1e8).split(100):
        far.update(piece)
    np.testing.assert_allclose(far.covariance, np.cov(rows.numpy(), rowvar=False), atol=1e-7)


def test_the_rows_are_left_as_they_were():
    rows = torch.arange(6.0).view(3, 2)
    moments = Moments()
    moments.update(rows)
    moments.update(rows)
    assert torch.equal(rows, torch.arange(6.0).view(3, 2))


def test_what_was_read_does_not_change_when_more_comes():
    moments = Moments()
    moments.update(torch.eye(4))
    mean, covariance = moments.mean, moments.covariance
    kept = mean.clone(), covariance.clone()
    moments.update(torch.ones(9, 4) * 5)
    assert torch.equal(mean, kept[0])
    assert torch.equal(covariance, kept[1])


def test_too_few_rows_are_refused():
    moments = Moments()
    with pytest.raises(BadInput, match="at least 1 samples, and got 0"):
        _ = moments.mean
    moments.update(torch.empty(0, 2))
    moments.update(torch.ones(1, 2))
    assert torch.equal(moments.mean, torch.ones(2, dtype=torch.float64))
    with pytest.raises(BadInput, match="at least 2 samples, and got 1"):
        _ = moments.covariance
