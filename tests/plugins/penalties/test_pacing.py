"""Lazy regularization and annealing: what every gradient penalty inherits."""

import math

import numpy as np
import pytest

from ganbench_plugins.penalties.dragan import Dragan
from ganbench_plugins.penalties.gradient import (
    GradientPenalty,
    LipschitzPenalty,
    MaxGradientPenalty,
)
from ganbench_plugins.penalties.zero_centred import R1, R2, ZeroCentred

PACED = [Dragan, GradientPenalty, LipschitzPenalty, MaxGradientPenalty, R1, R2, ZeroCentred]
ANNEALED = [R1, R2]


@pytest.mark.parametrize("cls", PACED)
def test_by_default_every_step_has_the_plain_penalty(cls):
    assert [cls().strength(step) for step in range(5)] == [1.0] * 5


@pytest.mark.parametrize("cls", PACED)
def test_lazily_one_step_of_many_has_all_of_it(cls):
    strengths = [cls(every=4).strength(step) for step in range(12)]
    assert strengths == [4.0, 0.0, 0.0, 0.0] * 3
    assert np.mean(strengths) == 1.0


@pytest.mark.parametrize("cls", ANNEALED)
def test_annealing_follows_half_a_cosine_and_stays_at_its_end(cls):
    penalty = cls(final_share=0.1, anneal_steps=300)
    assert penalty.strength(0) == pytest.approx(1.0)
    assert penalty.strength(100) == pytest.approx(0.1 + 0.9 * 0.75)  # (1 + cos 60) / 2 = 3/4
    assert penalty.strength(150) == pytest.approx(0.55)
    assert penalty.strength(200) == pytest.approx(0.1 + 0.9 * 0.25)
    assert penalty.strength(300) == penalty.strength(10**9) == pytest.approx(0.1)


def r3gan(step, start, end, steps):
    """Its own way to write it: start + (1 - decay) (end - start)."""
    decay = 0.5 * (1 + math.cos(math.pi * step / steps))
    return start + (1 - decay) * (end - start)


@pytest.mark.parametrize("step", [0, 1, 7777, 39061])
def test_r3gans_gamma_on_cifar10(step):
    penalty = R1(gamma=0.05, final_share=0.1, anneal_steps=39062)
    gamma = penalty.gamma * penalty.strength(step)
    assert gamma == pytest.approx(r3gan(step, 0.05, 0.005, 39062), rel=1e-12)


def test_annealing_may_raise_the_weight_and_be_lazy():
    penalty = R2(final_share=3.0, anneal_steps=10, every=5)
    assert [penalty.strength(step) for step in (0, 5, 10, 11)] == pytest.approx([5, 10, 15, 0])


@pytest.mark.parametrize("fields", [{"final_share": 0.5}, {"anneal_steps": 10}])
@pytest.mark.parametrize("cls", ANNEALED)
def test_half_an_annealing_is_refused(cls, fields):
    with pytest.raises(ValueError, match="both or neither"):
        cls(**fields)
