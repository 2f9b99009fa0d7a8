"""The published settings, written down a second time: a change of one is deliberate."""

import re
from dataclasses import asdict

import pytest

from ganbench.catalogue import ARCHITECTURE, DATASET, PROTOCOL, SCHEDULE
from ganbench.choices import choose
from ganbench.protocol import check_class
from ganbench.specs import Spec, parse_entries
from ganbench_plugins.protocols import ganbench_protocols

COMMON = {
    "batch_size": 64,
    "optimizer": "adam",
    "epsilon": 1e-8,
    "lr_decay": "none",
    "ema_half_life_kimg": 0.0,
    "ema_burn_in_kimg": 0.0,
    "latents": "normal",
    "horizontal_flip": False,
    "evaluations": 10,
}


def adam(lr, beta1, beta2):
    return {"generator_lr": lr, "discriminator_lr": lr, "beta1": beta1, "beta2": beta2}


def sngan_cnn(lr, beta1, beta2):
    """Settings of table 1, for 100,000 steps of G."""
    return {**adam(lr, beta1, beta2), "budget": "100000gsteps", "evaluation_samples": 5_000}


FIELDS = {
    "created-equal": {
        **adam(1e-4, 0.5, 0.999),
        "budget": "78125dsteps",
        "latents": "uniform",
        "evaluation_samples": 10_000,
    },
    "kurach-sndcgan": {
        **adam(2e-4, 0.5, 0.999),
        "budget": "200000dsteps",
        "latents": "uniform",
        "evaluation_samples": 10_000,
    },
    "mimicry-resnet": {
        **adam(2e-4, 0.0, 0.9),
        "budget": "100000gsteps",
        "lr_decay": "linear",
        "evaluation_samples": 50_000,
    },
    "points": {
        **adam(1e-3, 0.0, 0.99),
        "budget": "5000gsteps",
        "batch_size": 256,
        "lr_decay": "linear",
        "evaluation_samples": 2_500,
    },
    "quick": {**adam(5e-4, 0.5, 0.999), "budget": "80kimg", "evaluation_samples": 2_000},
    "r3gan-stacked-mnist": {
        **adam(2e-4, 0.0, 0.99),
        "budget": "10000kimg",
        "batch_size": 512,
        "ema_half_life_kimg": 500.0,
        "ema_burn_in_kimg": 2000.0,
        "evaluation_samples": 26_000,
    },
    "sngan-cnn-a": sngan_cnn(0.0001, 0.5, 0.9),
    "sngan-cnn-b": sngan_cnn(0.0001, 0.5, 0.999),
    "sngan-cnn-c": sngan_cnn(0.0002, 0.5, 0.999),
    "sngan-cnn-d": sngan_cnn(0.001, 0.5, 0.9),
    "sngan-cnn-e": sngan_cnn(0.001, 0.5, 0.999),
    "sngan-cnn-f": sngan_cnn(0.001, 0.9, 0.999),
    "sngan-resnet": {
        **adam(2e-4, 0.0, 0.9),
        "budget": "100000gsteps",
        "lr_decay": "linear",
        "evaluation_samples": 5_000,
    },
    "studiogan-dcgan": {
        **adam(2e-4, 0.5, 0.999),
        "budget": "200000gsteps",
        "epsilon": 1e-6,
        "horizontal_flip": True,
        "evaluation_samples": 10_000,
    },
}

# What a protocol is used with unless asked otherwise: data, networks, D's steps per step of G.
STUDIOGAN = "sndcgan:discriminator_norm=batch:initialisation=orthogonal:variant=studiogan"
PARTS = {
    "created-equal": ("cifar10", "infogan-conv", 1),
    "kurach-sndcgan": ("cifar10", "sndcgan:variant=compare-gan", 1),
    "mimicry-resnet": ("cifar10", "resnet", 5),
    "points": ("ring", "", 1),
    "quick": ("digits", "", 1),
    "r3gan-stacked-mnist": ("stacked-mnist:side=32", "r3gan", 1),
    "sngan-cnn-a": ("cifar10", "sndcgan", 5),
    "sngan-cnn-b": ("cifar10", "sndcgan", 1),
    "sngan-cnn-c": ("cifar10", "sndcgan", 1),
    "sngan-cnn-d": ("cifar10", "sndcgan", 5),
    "sngan-cnn-e": ("cifar10", "sndcgan", 5),
    "sngan-cnn-f": ("cifar10", "sndcgan", 5),
    "sngan-resnet": ("cifar10", "resnet", 5),
    "studiogan-dcgan": ("cifar10", STUDIOGAN, 2),
}

SHAPES = {"cifar10": (3, 32, 32), "stacked-mnist": (3, 32, 32)}
LATENT_SIZES = {"created-equal": 64, "r3gan-stacked-mnist": 64}  # elsewhere 128


def parts_of(catalogue, kind, text):
    """Each part that `text` names, chosen and made."""
    entries = [entry for (entry,) in parse_entries(text)]
    return [choose(catalogue, kind, entry).create() for entry in entries]


@pytest.fixture(params=ganbench_protocols())
def name(request):
    return request.param


@pytest.fixture
def protocol(bundled, name):
    return choose(bundled, PROTOCOL, Spec(name))


def test_the_tables_here_have_every_protocol():
    assert set(FIELDS) == set(PARTS) == set(ganbench_protocols())


def test_every_field_is_the_published_one(protocol, name):
    assert asdict(protocol.create()) == {**COMMON, **FIELDS[name]}


def test_what_it_is_used_with(protocol, name):
    cls = protocol.component.cls
    datasets, architectures, k = PARTS[name]
    assert (cls.datasets, cls.architectures) == (datasets, architectures)
    assert cls.schedules == (f"k-step:k={k}" if k > 1 else "k-step")


def test_what_it_is_used_with_exists_and_fits(bundled, protocol, name):
    cls = protocol.component.cls
    check_class(cls)
    (dataset,) = parse_entries(cls.datasets)
    assert parts_of(bundled, DATASET, cls.datasets)
    (schedule,) = parts_of(bundled, SCHEDULE, cls.schedules)
    assert schedule.discriminator_steps(0) == PARTS[name][2]
    for architecture in parts_of(bundled, ARCHITECTURE, cls.architectures or "mlp"):
        if cls.architectures:
            architecture.check(SHAPES[dataset[0].name])
            assert architecture.latent_size == LATENT_SIZES.get(name, 128)


def test_it_cites_a_source_and_says_what_it_is(protocol):
    component = protocol.component
    assert re.match(r"https://(arxiv\.org/abs|github\.com)/", component.reference)
    assert "References:" in component.docstring
    assert len(component.summary) > 30


def test_budgets_that_the_sources_count_otherwise():
    """100 epochs of 50,000 images; 10 million and 2 million images in batches of 512."""
    assert FIELDS["created-equal"]["budget"] == f"{100 * 50_000 // 64}dsteps"
    assert 2_000_000 // 512 == 3906  # anneal_steps, in r3gan-stacked-mnist's docstring
