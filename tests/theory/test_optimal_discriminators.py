"""With G fixed, D has a known optimum, and its loss there is a known divergence.

The data are p = N(1/2, 1) and the fakes q = N(-1/2, 1), so that log p(x)/q(x) = x. Samples are the
quantiles of their distribution: full batches, and no chance.
"""

import math

import numpy as np
import pytest
import torch
from torch import nn

from ganbench_plugins.architectures.mlp import MLP

GAP = 1.0  # between the means
LOG_2 = math.log(2)
GRID = np.linspace(-24, 24, 48_001)


def normal(mean, variance=1.0):
    return np.exp(-((GRID - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def integral(values):
    return float(np.trapezoid(values, GRID))


def kullback_leibler(gap=GAP):
    return gap**2 / 2


def chi_squared(gap=GAP):
    return math.exp(gap**2) - 1


def hellinger(gap=GAP):
    """The integral of (sqrt p - sqrt q)^2."""
    return 2 - 2 * math.exp(-(gap**2) / 8)


def total_variation(gap=GAP):
    return math.erf(gap / math.sqrt(8))


def cross_entropy(gap=GAP):
    """2 log 2 - 2 JSD: minus p log D - q log(1 - D), D = p / (p + q)."""
    logits = gap * GRID
    return integral(
        normal(gap / 2) * np.logaddexp(0, -logits) + normal(-gap / 2) * np.logaddexp(0, logits)
    )


def twice_jensen_shannon(gap=GAP):
    return 2 * LOG_2 - cross_entropy(gap)


def least_squares(gap=GAP):
    """(b - a)^2 / 2 times the integral of p q / (p + q), for b - a = 1."""
    return integral(normal(gap / 2) / (1 + np.exp(gap * GRID))) / 2


def paired_cross_entropy(gap=GAP):
    """log 2 - JSD(p x q, q x p): D's logit is gap (x - y), and x - y is N(gap, 2)."""
    return integral(normal(gap, 2) * np.logaddexp(0, -gap * GRID))


def slope(divergence):
    """As q's mean rises, and the gap falls."""
    return (divergence(GAP - 1e-4) - divergence(GAP + 1e-4)) / 2e-4


class Optimal(nn.Module):
    """A D whose logit is a function of p/q, times 1."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return self.scale * self.function(images.flatten().exp())


class Table(nn.Module):
    """A D that is free to have any logit in each bin."""

    def __init__(self, edges):
        super().__init__()
        self.edges = edges
        self.logits = nn.Parameter(torch.zeros(len(edges) + 1))

    def forward(self, images):
        return self.logits[torch.bucketize(images.flatten(), self.edges)]


def sign(u):
    return (u - 1).sign()


# Objective; D's optimal logit as a function of u = p/q, or of its masses in a bin; D's loss there.
OPTIMA = [
    ("minimax", torch.log, cross_entropy()),
    ("nonsat", torch.log, cross_entropy()),
    ("lsgan", lambda u: u / (u + 1), least_squares()),
    ("lsgan:a=-1:b=1:c=0", lambda u: (u - 1) / (u + 1), 4 * least_squares()),
    ("hinge", sign, 2 - 2 * total_variation()),
    ("fgan-kl", lambda u: 1 + u.log(), -kullback_leibler()),
    ("fgan-reverse-kl", torch.log, -kullback_leibler()),
    ("fgan-pearson", lambda u: 2 * (u - 1), -chi_squared()),
    ("fgan-neyman", lambda u: 2 * u.log(), -chi_squared()),
    ("fgan-hellinger", lambda u: u.log() / 2, -hellinger()),
    ("fgan-js", torch.log, -twice_jensen_shannon()),
    ("fgan-tv", lambda u: 20 * sign(u), -total_variation()),
    ("fgan:divergence=gan", torch.log, cross_entropy()),
]


@pytest.mark.parametrize(("text", "optimum", "loss"), OPTIMA)
def test_ds_loss_at_its_optimum(objective, agree, at_step, normals, text, optimum, loss):
    real, fake = normals(2**17, GAP / 2), normals(2**17, -GAP / 2)
    terms = objective(text).discriminator_terms(at_step(Optimal(optimum), real, fake))
    agree("D's loss at its optimum", text, terms.loss.item(), loss, rel=5e-3)


def in_bins(images, edges):
    return torch.bincount(torch.bucketize(images.flatten(), edges), minlength=len(edges) + 1)


@pytest.fixture
def table(objective, trained, normals):
    """Call as `table(text, arrange)`: D's logits in 14 bins after training, and p/q in each.

    `arrange` makes batches of all samples, one by one or in pairs.
    """

    def learnt(text, arrange=lambda real, fake: (real, fake), count=1000):
        real, fake = normals(count, GAP / 2), normals(count, -GAP / 2)
        edges = torch.linspace(-1.5, 1.5, 13)
        batch = arrange(real, fake)
        network = trained(
            Table(edges), objective(text), lambda _: batch, 300, torch.optim.Adam, lr=0.2
        )
        return network.logits.detach(), in_bins(real, edges) / in_bins(fake, edges)

    return learnt


SMOOTH = [row[:2] for row in OPTIMA if row[0] != "fgan-tv"]
SMOOTHED = ("minimax:label_smoothing=0.1", lambda u: (0.9 * u / (1 + 0.1 * u)).log())


@pytest.mark.parametrize(("text", "optimum"), [*SMOOTH, SMOOTHED])
def test_d_learns_its_optimum(agree, table, text, optimum):
    logits, u = table(text)
    learnt, theory = logits.numpy(), optimum(u).numpy()
    assert learnt == pytest.approx(theory, abs=0.01, rel=0.01)
    shown = learnt[::6], theory[::6]
    agree("D's learnt logits in bins 0, 6 and 12", text, *shown, abs=0.01, rel=0.01)


def test_total_variation_saturates_d(table):
    logits, u = table("fgan-tv")
    assert (logits.tanh() / 2).tolist() == pytest.approx((sign(u) / 2).tolist(), abs=2e-3)


def pairs(real, fake):
    """Every real sample beside every fake."""
    return real.repeat_interleave(len(fake), 0), fake.repeat(len(real), 1)


def test_a_paired_d_learns_the_same_ratio_but_for_a_constant(agree, table):
    logits, u = table("rpgan", pairs, 100)
    learnt, theory = ((values - values.mean()).numpy() for values in (logits, u.log()))
    assert learnt == pytest.approx(theory, abs=2e-3)
    agree("D's learnt logits in bins 0, 6 and 12", "rpgan", learnt[::6], theory[::6], abs=2e-3)


def test_a_paired_ds_loss_at_its_optimum(objective, agree, at_step, normals):
    real, fake = pairs(normals(700, GAP / 2), normals(700, -GAP / 2))
    terms = objective("rpgan").discriminator_terms(at_step(Optimal(torch.log), real, fake))
    agree("D's loss at its optimum", "rpgan", terms.loss.item(), paired_cross_entropy(), rel=2e-3)


# What G descends at D's optimum, as q's mean rises. Where the game is zero-sum, it is D's loss
# turned round (the envelope theorem); where not, a KL divergence comes in beside it: see theorem
# 2.5 of https://arxiv.org/abs/1701.04862.
DESCENTS = [
    ("minimax", torch.log, slope(twice_jensen_shannon)),
    ("nonsat", torch.log, slope(kullback_leibler) - slope(twice_jensen_shannon)),
    ("fgan-kl", lambda u: 1 + u.log(), slope(kullback_leibler)),
    ("fgan-reverse-kl", torch.log, slope(kullback_leibler)),
    ("fgan-pearson", lambda u: 2 * (u - 1), slope(chi_squared)),
    ("fgan-neyman", lambda u: 2 * u.log(), slope(chi_squared)),
    ("fgan-hellinger", lambda u: u.log() / 2, slope(hellinger)),
    ("fgan-js", torch.log, slope(twice_jensen_shannon)),
    ("fgan:divergence=gan", torch.log, slope(twice_jensen_shannon)),
    (
        "fgan:divergence=gan:saturating=false",
        torch.log,
        slope(kullback_leibler) - slope(twice_jensen_shannon),
    ),
]


def descent(objective, step, mean):
    (gradient,) = torch.autograd.grad(objective.generator_loss(step), mean)
    return gradient.item()


@pytest.mark.parametrize(("text", "optimum", "theory"), DESCENTS)
def test_what_g_descends_at_ds_optimum(objective, agree, at_step, normals, text, optimum, theory):
    mean = torch.tensor(-GAP / 2, requires_grad=True)
    points = normals(2**17, 0.0)
    measured = descent(objective(text), at_step(Optimal(optimum), None, points + mean), mean)
    agree("slope of G's loss at D's optimum", text, measured, theory, rel=0.02)


def test_what_g_descends_at_a_paired_ds_optimum(objective, agree, at_step, normals):
    mean = torch.tensor(-GAP / 2, requires_grad=True)
    real, fake = pairs(normals(700, GAP / 2), normals(700, 0.0) + mean)
    measured = descent(objective("rpgan"), at_step(Optimal(torch.log), real, fake), mean)
    theory = slope(paired_cross_entropy) + slope(kullback_leibler)
    agree("slope of G's loss at D's optimum", "rpgan", measured, theory, rel=5e-3)


def test_the_bundled_mlp_comes_near_the_optimum(objective, agree, trained, normals):
    torch.manual_seed(0)
    _, network = MLP(width=32).build((1,))
    batch = normals(500, GAP / 2), normals(500, -GAP / 2)
    trained(network, objective("nonsat"), lambda _: batch, 300, torch.optim.Adam, lr=0.01)
    points = torch.cat(batch)
    logits = network(points).detach()
    distance = (logits.sigmoid() - points.flatten().sigmoid()).abs().mean().item()
    agree("mean distance of D(x) of `mlp` from p/(p + q)", "nonsat", distance, 0.0, abs=0.01)


@pytest.mark.parametrize("std", [0.5, 1.0])
def test_instance_noise_shows_d_the_noisy_distributions(objective, agree, trained, normals, std):
    """The optimum is then linear, log p/q = x / (1 + std^2)."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    batch = normals(10_000, GAP / 2), normals(10_000, -GAP / 2)
    text = f"nonsat+instance-noise:std={std}"
    trained(network, objective(text), lambda _: batch, 300, torch.optim.Adam, lr=0.05)
    agree(
        "slope of a linear D's logits", text, network[0].weight.item(), 1 / (1 + std**2), rel=0.02
    )
