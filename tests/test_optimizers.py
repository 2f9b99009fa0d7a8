"""Each optimizer's first two steps against its formula."""

import math

import pytest
import torch
from torch import nn

from ganbench.optimizers import optimizer
from ganbench.protocol import TrainingProtocol

LR, BETA1, BETA2, EPSILON = 0.1, 0.5, 0.9, 1e-3


class Toy(TrainingProtocol):
    version = 1
    datasets = "ring"
    budget = "1kimg"
    generator_lr = LR
    discriminator_lr = LR
    beta1 = BETA1
    beta2 = BETA2
    epsilon = EPSILON


def adam(gradients):
    w, m, v = 1.0, 0.0, 0.0
    for step, g in enumerate(gradients, 1):
        m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g * g
        w -= LR * (m / (1 - BETA1**step)) / (math.sqrt(v / (1 - BETA2**step)) + EPSILON)
    return w


def rmsprop(gradients):
    w, v, b = 1.0, 0.0, 0.0
    for g in gradients:
        v = BETA2 * v + (1 - BETA2) * g * g
        b = BETA1 * b + g / (math.sqrt(v) + EPSILON)
        w -= LR * b
    return w


def sgd(gradients):
    w, b = 1.0, None
    for g in gradients:
        b = g if b is None else BETA1 * b + g
        w -= LR * b
    return w


@pytest.mark.parametrize("formula", [adam, rmsprop, sgd])
def test_two_steps_by_the_formula(formula):
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(1.0)
    moves = optimizer(network, LR, Toy(optimizer=formula.__name__))
    gradients = [2.0, -0.5]
    for gradient in gradients:
        network.weight.grad = torch.full((1, 1), gradient)
        moves.step()
    assert network.weight.item() == pytest.approx(formula(gradients), rel=1e-5)
