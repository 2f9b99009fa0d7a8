"""How a loss is compared with its formula, written again in float64 numpy."""

import numpy as np
import pytest
import torch


def slope(formula, arrays, place):
    """The central difference of a numpy formula in each element of one of its arrays."""
    found = np.zeros_like(arrays[place])
    for index in np.ndindex(found.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = [array.copy() for array in arrays]
            moved[place][index] += step
            ends.append(formula(*moved))
        found[index] = (ends[0] - ends[1]) / 2e-5
    return found


@pytest.fixture
def agree():
    """Call as `agree(function, formula, array, ...)`: the same value and gradients."""

    def check(function, formula, *arrays):
        tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
        loss = function(*tensors)
        assert loss.shape == ()
        assert loss.item() == pytest.approx(formula(*arrays), rel=1e-12, abs=1e-14)
        loss.backward()
        for place, tensor in enumerate(tensors):
            found = np.zeros_like(arrays[place]) if tensor.grad is None else tensor.grad
            np.testing.assert_allclose(found, slope(formula, arrays, place), rtol=1e-6, atol=1e-8)

    return check
