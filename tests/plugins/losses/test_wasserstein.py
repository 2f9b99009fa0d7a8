"""wasserstein against known distances, and its clipping."""

import numpy as np
import pytest
import torch
from scipy.stats import norm, wasserstein_distance
from torch import nn

from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.wasserstein import Wasserstein

REAL = np.array([-3.0, -0.5, 0.0, 1.25, 7.0])
FAKE = np.array([2.0, -1.0, 0.25, -6.0, 0.0])


def test_value_and_gradient(agree):
    loss = Wasserstein()
    agree(loss.discriminator_loss, lambda real, fake: fake.mean() - real.mean(), REAL, FAKE)
    agree(loss.generator_loss, lambda fake: -fake.mean(), FAKE)


@pytest.mark.parametrize("shift", [0.25, 3.0])
def test_with_the_best_1_lipschitz_d_it_is_the_distance(shift):
    # Of Gaussians that differ by a shift to the right, the best D is D(x) = x.
    shares = (np.arange(1000) + 0.5) / 1000
    real, fake = norm(shift, 2).ppf(shares), norm(0, 2).ppf(shares)
    found = -Wasserstein().discriminator_loss(torch.tensor(real), torch.tensor(fake)).item()
    assert found == pytest.approx(shift, rel=1e-12)
    assert found == pytest.approx(wasserstein_distance(real, fake), rel=1e-12)


def test_another_1_lipschitz_d_gives_less():
    shares = (np.arange(1000) + 0.5) / 1000
    real, fake = norm(1, 1).ppf(shares), norm(0, 1).ppf(shares)
    for d in (np.sin, np.abs, lambda x: 0.5 * x, np.tanh):
        found = -Wasserstein().discriminator_loss(torch.tensor(d(real)), torch.tensor(d(fake)))
        assert found.item() < 1


def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 1))
    layers[1].running_mean.fill_(5.0)
    return layers


def test_every_parameter_is_clamped_and_no_buffer():
    discriminator = network()
    before = {name: p.detach().clone() for name, p in discriminator.named_parameters()}
    Wasserstein(clip=0.01).constrain(discriminator)
    for name, parameter in discriminator.named_parameters():
        assert torch.equal(parameter, before[name].clamp(-0.01, 0.01))
        assert parameter.requires_grad
        assert parameter.is_leaf
    assert max(p.abs().max().item() for p in discriminator.parameters()) == pytest.approx(0.01)
    assert (discriminator[1].running_mean == 5).all()


def test_without_clip_d_stays_as_it_is():
    discriminator = network()
    before = {name: p.detach().clone() for name, p in discriminator.named_parameters()}
    Wasserstein().constrain(discriminator)
    assert all(torch.equal(p, before[name]) for name, p in discriminator.named_parameters())


def test_a_negative_clip_is_refused():
    with pytest.raises(BadInput, match="clip"):
        settle(Wasserstein, "loss", {"clip": "-0.01"})
