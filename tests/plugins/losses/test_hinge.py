"""hinge against its formula."""

import numpy as np
import torch

from ganbench_plugins.losses.hinge import Hinge

REAL = np.array([-3.0, -0.5, 0.1, 1.25, 7.0])
FAKE = np.array([2.0, -1.5, 0.25, -6.0, 0.0])


def test_by_hand():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([3.0, -5.0])
    assert Hinge().discriminator_loss(real, fake).item() == 0.5 + 2
    assert Hinge().generator_loss(fake).item() == 1


def test_value_and_gradient(agree):
    agree(
        Hinge().discriminator_loss,
        lambda real, fake: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
        REAL,
        FAKE,
    )
    agree(Hinge().generator_loss, lambda fake: -fake.mean(), FAKE)


def test_d_rests_beyond_the_margin_and_g_does_not():
    real = torch.tensor([1.5, 9.0], requires_grad=True)
    fake = torch.tensor([-1.5, 9.0], requires_grad=True)
    Hinge().discriminator_loss(real, fake).backward()
    assert real.grad.tolist() == [0, 0]
    assert fake.grad.tolist() == [0, 0.5]
    fake.grad = None
    Hinge().generator_loss(fake).backward()
    assert fake.grad.tolist() == [-0.5, -0.5]
