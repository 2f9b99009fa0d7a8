"""The Fréchet distance as pytorch-fid computes it."""

import numpy as np
import pytest
from scipy import linalg


@pytest.fixture(scope="session")
def scipy_distance():
    """pytorch-fid's formula on scipy's matrix square root.

    Written out, because pytorch-fid 0.3.0 passes sqrtm an argument that SciPy 1.18 took away.
    """

    def distance(mean1, cov1, mean2, cov2):
        mean1, cov1, mean2, cov2 = map(np.asarray, (mean1, cov1, mean2, cov2))
        root = linalg.sqrtm(cov1 @ cov2)
        return np.sum((mean1 - mean2) ** 2) + np.trace(cov1 + cov2 - 2 * root.real)

    return distance
