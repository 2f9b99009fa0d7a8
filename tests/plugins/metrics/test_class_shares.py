import math

import pytest
import torch

from ganbench_plugins.metrics.class_shares import kl_divergence


def test_kl_by_hand() -> None:
    p, q = torch.tensor([0.5, 0.5, 0]), torch.tensor([0.25, 0.5, 0.25])
    assert kl_divergence(p, q) == pytest.approx(0.5 * math.log(2))
    assert kl_divergence(q, p) == math.inf
    assert kl_divergence(p, p) == 0
