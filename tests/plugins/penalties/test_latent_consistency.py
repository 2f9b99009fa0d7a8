"""zCR on a linear G and D."""

import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.latent_consistency import LatentConsistency

LATENTS = torch.randn(5000, 2, generator=torch.Generator().manual_seed(0))
GAIN = torch.tensor([[3.0, 0.0], [0.0, 4.0]])


def noise():
    return Noise(torch.Generator().manual_seed(2))


def generator(latents):
    return latents @ GAIN


def discriminator(points):
    return 2 * points[:, 0] - points[:, 1]


def test_d_pays_for_what_it_tells_apart():
    # D(G(z)) = 6 z_0 - 4 z_1: a variance of (36 + 16) * std^2
    penalty = LatentConsistency(discriminator_weight=20.0, noise_std=0.05)
    term = penalty.latent_term(discriminator, generator, LATENTS, generator(LATENTS), noise())
    assert term.item() == pytest.approx(20 * 52 * 0.05**2, rel=0.05)


def test_g_is_paid_for_what_it_tells_apart():
    # G moves by 3 dz_0 and 4 dz_1: a mean square of (9 + 16) / 2 * std^2
    penalty = LatentConsistency(generator_weight=0.5, noise_std=0.05)
    term = penalty.generator_term(discriminator, generator, LATENTS, generator(LATENTS), noise())
    assert term.item() == pytest.approx(-0.5 * 12.5 * 0.05**2, rel=0.05)


@pytest.mark.parametrize("name", ["latent_term", "generator_term"])
def test_it_grows_with_the_square_of_the_noise_and_is_proportional_to_its_weight(name):
    def value(**fields):
        term = getattr(LatentConsistency(**fields), name)
        return term(discriminator, generator, LATENTS, generator(LATENTS), noise()).item()

    assert value(noise_std=0.1) == pytest.approx(4 * value(noise_std=0.05), rel=1e-3)
    player = {"latent_term": "discriminator", "generator_term": "generator"}[name]
    weight = f"{player}_weight"
    assert value(**{weight: 3.0}) == pytest.approx(3 * value(**{weight: 1.0}), rel=1e-5)


def test_gradients_reach_both_fakes_of_g():
    # With G(z) = w z the term is -c w^2: a gradient of 2 * term / w.
    weight = torch.tensor(3.0, requires_grad=True)

    def learnt(latents):
        return weight * latents

    term = LatentConsistency().generator_term(
        discriminator, learnt, LATENTS, learnt(LATENTS), noise()
    )
    term.backward()
    assert weight.grad.item() == pytest.approx(2 * term.item() / 3, rel=1e-2)


def test_d_is_asked_for_the_fakes_as_given():
    seen = []

    def watched(points):
        seen.append(points)
        return discriminator(points)

    fake = generator(LATENTS)
    LatentConsistency().latent_term(watched, generator, LATENTS, fake, noise())
    assert seen[0] is fake
    assert len(seen) == 2


def test_a_g_that_ignores_z_costs_nothing():
    fake = torch.ones(5000, 2)
    for term in (LatentConsistency().latent_term, LatentConsistency().generator_term):
        assert term(discriminator, lambda z: fake, LATENTS, fake, noise()).item() == 0
