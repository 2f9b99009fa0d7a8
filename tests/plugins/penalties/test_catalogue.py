"""What holds for everything that is bundled to be added to a loss."""

from importlib import import_module

import pytest
import torch
from torch import nn

from ganbench.api import Noise
from ganbench.choices import settle
from ganbench_plugins.penalties import ganbench_penalties

REAL = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
LATENTS = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
NAMES = sorted(ganbench_penalties())
# For each, fields away from their defaults; every field of every component is here.
OTHER = {
    "bcr": {"real_weight": 1.0, "fake_weight": 1.0, "shift": 2},
    "cr": {"weight": 1.0, "shift": 2},
    "diffaug": {"policy": "cutout"},
    "dragan": {"weight": 1.0, "noise": "normal", "spread": 0.1, "every": 2},
    "gp": {"weight": 1.0, "every": 2},
    "instance-noise": {"std": 0.3},
    "lecam": {"weight": 1.0, "decay": 0.5, "start": 1, "distance": "one-sided"},
    "lp": {"weight": 1.0, "every": 2},
    "maxgp": {"weight": 1.0, "every": 2},
    "pull-away": {"weight": 1.0},
    "r1": {"gamma": 1.0, "every": 2, "final_share": 0.5, "anneal_steps": 3},
    "r2": {"gamma": 1.0, "every": 2, "final_share": 0.5, "anneal_steps": 3},
    "top-k": {"gamma": 0.5, "nu": 1.0, "decay_every": 100},
    "zcr": {"discriminator_weight": 1.0, "generator_weight": 1.0, "noise_std": 0.2},
    "zero-gp": {"weight": 1.0, "every": 2},
}
TOGETHER = {"final_share": "anneal_steps", "anneal_steps": "final_share"}
KEYS = {
    "schedule", "optimizer", "generator_lr", "discriminator_lr", "beta1", "beta2", "lr_decay",
}  # fmt: skip
# What they need where the defaults would hide them in a single early step.
EARLY = {"lecam": {"start": 0}, "top-k": {"gamma": 0.8, "decay_every": 1}}


class Discriminator(nn.Module):
    """Steep enough for `lp`, curved enough that where the slope is taken matters."""

    def __init__(self):
        super().__init__()
        weights = torch.randn(3 * 8 * 8, 4, generator=torch.Generator().manual_seed(2))
        self.weights = nn.Parameter(weights)

    def embed(self, images):
        return torch.tanh(images.flatten(1) @ self.weights / 8)

    def forward(self, images):
        return 4 * self.embed(images).sum(dim=1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        weights = torch.randn(5, 3 * 8 * 8, generator=torch.Generator().manual_seed(3))
        self.weights = nn.Parameter(weights)

    def forward(self, latents):
        return torch.tanh(latents @ self.weights).unflatten(1, (3, 8, 8))


def component(name):
    module, _, attribute = ganbench_penalties()[name].partition(":")
    return getattr(import_module(module), attribute)


def values(name, steps=4, **fields):
    """All that a component gives in some steps of both players, and the players."""
    part = component(name)(**EARLY.get(name, {}) | fields)
    discriminator, generator = Discriminator(), Generator()
    noise = Noise(torch.Generator().manual_seed(4))
    found = []
    for step in range(steps):
        fake = generator(LATENTS + step)
        strength = part.strength(step) if hasattr(part, "strength") else 1.0
        if strength and callable(part):
            found.append(strength * part(discriminator, REAL, fake.detach(), noise))
        for act in ("latent_term", "generator_term"):
            if hasattr(part, act):
                term = getattr(part, act)
                found.append(term(discriminator, generator, LATENTS + step, fake, noise))
        if hasattr(part, "augment"):
            found += [part.augment(REAL, noise), part.augment(fake, noise)]
        if hasattr(part, "select"):
            found.append(part.select(discriminator(fake), step).sum())
    return found, discriminator, generator


@pytest.mark.parametrize("name", NAMES)
def test_torchs_own_generator_stays_untouched(name):
    values(name)  # first uses may draw
    before = torch.random.get_rng_state()
    values(name)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_function_of_its_noise(name):
    for one, other in zip(values(name)[0], values(name)[0], strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_terms_are_scalars_and_every_value_moves_a_player(name):
    found, discriminator, generator = values(name)
    assert found
    acts = component(name)
    if not hasattr(acts, "augment"):
        assert all(value.shape == () for value in found)
    sum(value.sum() for value in found).backward()
    gradients = [p.grad for p in (discriminator.weights, generator.weights) if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize(("name", "field"), [(n, f) for n in NAMES for f in OTHER[n]])
def test_every_field_changes_the_value(name, field):
    fields = {field: OTHER[name][field]}
    if field in TOGETHER:
        fields[TOGETHER[field]] = OTHER[name][TOGETHER[field]]
    changed, _, _ = values(name, **fields)
    plain, _, _ = values(name)
    same = len(changed) == len(plain) and all(
        torch.equal(one, other) for one, other in zip(changed, plain, strict=True)
    )
    assert not same


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_listed_and_survives_as_text(name):
    settled = settle(component(name), f"penalty '{name}'", {})
    assert set(settled) == set(OTHER[name])
    assert next(iter(settled)) == next(iter(OTHER[name]))  # what matters most comes first


@pytest.mark.parametrize("name", NAMES)
def test_recommendations_are_text_for_fields_of_a_protocol(name):
    recommended = getattr(component(name), "recommended", {})
    assert set(recommended) <= KEYS
    assert all(isinstance(value, str) for value in recommended.values())


def test_those_that_take_the_slope_of_d_need_it_per_sample():
    slopes = {n for n in NAMES if getattr(component(n), "per_sample_discriminator", False)}
    assert slopes == {"dragan", "gp", "lp", "maxgp", "r1", "r2", "zero-gp"}


@pytest.mark.parametrize("name", ["dragan", "gp", "lp", "maxgp", "r1", "r2", "zero-gp"])
def test_the_mean_of_lazy_steps_is_the_plain_penalty(name):
    part, lazy = component(name)(), component(name)(every=4)
    discriminator, fake = Discriminator(), Generator()(LATENTS).detach()

    def term(penalty):
        return penalty(discriminator, REAL, fake, Noise(torch.Generator().manual_seed(4))).item()

    terms = [lazy.strength(step) * term(lazy) for step in range(16)]
    assert sum(terms) / 16 == pytest.approx(part.strength(0) * term(part), rel=1e-6)
