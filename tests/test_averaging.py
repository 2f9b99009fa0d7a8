import math

import pytest
import torch
from torch import nn

from ganbench.averaging import MovingAverage


class Point(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value]))
        self.register_buffer("seen", torch.zeros(()))


def test_after_one_half_life_the_old_weight_counts_half():
    network = Point(0.0)
    average = MovingAverage(network, half_life_kimg=0.2, burn_in_kimg=0.0)
    network.value.data.fill_(1.0)
    for step in range(4):
        average.update(step * 50, 50)
    assert average.network.value.item() == pytest.approx(0.5, rel=1e-6)


def test_the_half_life_rises_along_half_a_cosine():
    network = Point(0.0)
    average = MovingAverage(network, half_life_kimg=0.1, burn_in_kimg=0.4)
    network.value.data.fill_(1.0)
    average.update(0, 50)
    assert average.network.value.item() == 1.0  # no half-life yet: the weights themselves
    for before, risen in ((100, 0.5 - 0.5 * math.cos(math.pi / 4)), (200, 0.5), (400, 1.0)):
        average.network.value.data.zero_()
        average.update(before, 50)
        expected = 1 - 0.5 ** (50 / (100 * risen))
        assert average.network.value.item() == pytest.approx(expected, rel=1e-5)


def test_buffers_are_copied_and_the_network_itself_is_left_alone():
    network = Point(2.0)
    average = MovingAverage(network, half_life_kimg=1.0, burn_in_kimg=0.0)
    network.seen.fill_(7.0)
    average.update(0, 1)
    assert average.network.seen.item() == 7.0
    assert network.value.item() == 2.0
    assert network.value.requires_grad
    assert not average.network.value.requires_grad
