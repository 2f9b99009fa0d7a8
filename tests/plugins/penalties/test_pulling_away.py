"""The pulling-away term on embeddings whose angles are known."""

import numpy as np
import pytest
import torch

from ganbench.api import Noise
from ganbench_plugins.penalties.pulling_away import PullingAway

NOISE = Noise(torch.Generator().manual_seed(0))


class Embedding:
    """Its embeddings are the images."""

    def __call__(self, images):
        raise AssertionError("it needs no logits")

    def embed(self, images):
        return images


def term(embeddings, weight=1.0):
    return PullingAway(weight=weight).generator_term(
        Embedding(), lambda z: z, torch.zeros(1), embeddings, NOISE
    )


@pytest.mark.parametrize(
    ("embeddings", "value"),
    [
        ([[1.0, 0.0], [0.0, 5.0]], 0.0),  # a right angle
        ([[1.0, 1.0], [4.0, 4.0]], 1.0),  # the same direction
        ([[1.0, 1.0], [-2.0, -2.0]], 1.0),  # opposite: the cosine is squared
        ([[1.0, 0.0], [3.0, 3.0]], 0.5),  # 45 degrees
        ([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]], 1 / 3),  # one pair of three
    ],
)
def test_by_hand(embeddings, value):
    assert term(torch.tensor(embeddings)).item() == pytest.approx(value, abs=1e-6)
    assert term(torch.tensor(embeddings), weight=0.1).item() == pytest.approx(value / 10, abs=1e-6)


def test_against_the_double_sum():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    total = 0.0
    for i, a in enumerate(vectors):
        for j, b in enumerate(vectors):
            if i != j:
                total += (a @ b / np.linalg.norm(a) / np.linalg.norm(b)) ** 2
    assert term(torch.tensor(vectors)).item() == pytest.approx(total / (6 * 5), rel=1e-12)


def test_a_step_down_widens_the_angle():
    embeddings = torch.tensor([[1.0, 0.0], [3.0, 3.0]], requires_grad=True)
    term(embeddings).backward()
    assert term(embeddings.detach() - 0.1 * embeddings.grad) < term(embeddings.detach())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [0.0, 1e-4, 1e4])
def test_extreme_embeddings_have_finite_gradients(size, dtype):
    embeddings = torch.tensor([[size, 0.0], [0.0, 0.0], [size, size]], dtype=dtype)
    embeddings.requires_grad_()
    value = term(embeddings)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(embeddings.grad).all()


def test_a_single_fake_has_no_pair():
    assert term(torch.ones(1, 3)).item() == 0
