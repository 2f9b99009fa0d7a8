"""With G fixed, how steep a Wasserstein critic becomes under each bound on its slope.

The data are N(1, 1) and the fakes N(-1, 1), a Wasserstein-1 distance of 2 apart. A critic that is
1-Lipschitz measures just that; a penalty is a bargain, which leaves the slope beyond its target.
"""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from ganbench_plugins.architectures.mlp import MLP

GAP = 2.0


def line(slope):
    network = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    with torch.no_grad():
        network[0].weight.fill_(slope)
    return network


@pytest.fixture
def batch(normals):
    return normals(400, GAP / 2), normals(400, -GAP / 2)


def test_a_critic_of_slope_one_measures_the_distance(objective, agree, at_step, batch):
    terms = objective("wasserstein").discriminator_terms(at_step(line(1.0), *batch))
    agree("minus D's loss at D(x) = x", "wasserstein", -terms.loss.item(), GAP, abs=1e-9)


def test_g_descends_the_distance(objective, agree, at_step, batch):
    mean = torch.tensor(0.0, requires_grad=True)
    loss = objective("wasserstein").generator_loss(at_step(line(1.0), None, batch[1] + mean))
    (slope,) = torch.autograd.grad(loss, mean)
    agree("slope of G's loss at D(x) = x", "wasserstein", slope.item(), -1.0)


# A linear critic of slope s descends -s W1 and its penalty.
SLOPES = [
    ("gp:weight=10", 1 + GAP / (2 * 10)),
    ("gp:weight=1", 1 + GAP / (2 * 1)),
    ("lp:weight=10", 1 + GAP / (2 * 10)),
    ("dragan:weight=10", 1 + GAP / (2 * 10)),
    ("dragan:weight=10:noise=box", 1 + GAP / (2 * 10)),
    ("dragan:weight=10:noise=normal", 1 + GAP / (2 * 10)),
    ("zero-gp:weight=10", GAP / (2 * 10)),
    ("maxgp:weight=10", GAP / (2 * 10)),
    ("r1:gamma=10", GAP / 10),
    ("r2:gamma=10", GAP / 10),
    ("r1:gamma=10+r2:gamma=10", GAP / (2 * 10)),
]


@pytest.mark.parametrize(("penalty", "slope"), SLOPES)
def test_a_linear_critic_under_a_penalty(objective, agree, trained, batch, penalty, slope):
    made = objective(f"wasserstein+{penalty}")
    network = trained(line(0.3), made, lambda _: batch, 500, torch.optim.SGD, lr=0.04)
    measured = network[0].weight.item()
    agree("slope of a linear D", f"wasserstein+{penalty}", measured, slope, rel=1e-3)


@pytest.mark.parametrize(
    ("penalty", "slope"), [("gp:every=4", 1 + GAP / (2 * 10)), ("r1:every=4", GAP / 10)]
)
def test_a_lazy_penalty_leads_to_the_same_slope(objective, agree, trained, batch, penalty, slope):
    """With small steps, so that little happens between two of its own."""
    made = objective(f"wasserstein+{penalty}")
    network = trained(line(0.3), made, lambda _: batch, 800, torch.optim.SGD, lr=0.004)
    measured = network[0].weight.item()
    agree("slope of a linear D", f"wasserstein+{penalty}", measured, slope, rel=0.02)


def slopes(network, points):
    points = points.clone().requires_grad_()
    (found,) = torch.autograd.grad(network(points).sum(), points)
    return found.flatten()


def value(network, real, fake):
    with torch.no_grad():
        return (network(real).mean() - network(fake).mean()).item()


def test_the_bundled_mlp_on_matched_pairs(objective, agree, trained, batch):
    """Between matched quantiles the penalty is taken where the masses differ, in proportion.

    Then the same slope 1 + W1 / (2 lambda) is best everywhere.
    """
    torch.manual_seed(0)
    _, network = MLP(width=32).build((1,))
    made = objective("wgan-gp")
    trained(network, made, lambda _: batch, 400, torch.optim.Adam, lr=5e-3)
    found = slopes(network, torch.linspace(-2, 2, 101)[:, None])
    ends = [found.min().item(), found.max().item()]
    agree("least and largest slope of `mlp`, matched pairs", "wgan-gp", ends, [1.1, 1.1], abs=0.1)
    gained = value(network, *batch)
    agree("E[D(x)] - E[D(G(z))] of `mlp`, matched pairs", "wgan-gp", gained, 2.2, rel=0.01)


def gain_of_random_pairs(weight):
    """E[D(x)] - E[D(G(z))] at the best slope, 1 + (F_q - F_p) / (2 lambda r).

    F are the distribution functions, and r is the density of the points where the penalty is
    taken: x + u (y - x) is N((1 - 2u) GAP/2, (1-u)^2 + u^2).
    """
    x = np.linspace(-12, 12, 4001)[:, None]
    u = (np.arange(400) + 0.5) / 400
    density = norm.pdf(x, (1 - 2 * u) * GAP / 2, np.sqrt((1 - u) ** 2 + u**2)).mean(axis=1)
    ahead = norm.cdf(x[:, 0], -GAP / 2) - norm.cdf(x[:, 0], GAP / 2)
    return float(np.trapezoid(ahead * (1 + ahead / (2 * weight * density)), x[:, 0]))


def test_the_bundled_mlp_on_random_pairs(objective, agree, trained, batch):
    torch.manual_seed(0)
    _, network = MLP(width=32).build((1,))
    chance = torch.Generator().manual_seed(0)

    def shuffled(_):
        return tuple(images[torch.randperm(len(images), generator=chance)] for images in batch)

    trained(network, objective("wgan-gp"), shuffled, 400, torch.optim.Adam, lr=5e-3)
    theory = gain_of_random_pairs(10.0)
    gained = value(network, *batch)
    agree("E[D(x)] - E[D(G(z))] of `mlp`, random pairs", "wgan-gp", gained, theory, rel=0.01)
