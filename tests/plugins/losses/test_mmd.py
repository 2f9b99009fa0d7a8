"""mmd against double loops, and without bias."""

from itertools import product

import numpy as np
import pytest
import torch

from ganbench.api import Unsupported
from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.mmd import MMD

RANDOM = np.random.default_rng(0)
REAL, FAKE = RANDOM.normal(0, 1, (5, 3)), RANDOM.normal(0.5, 2, (4, 3))


def squared_distance(x, y):
    return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))


KERNELS = {
    "rational-quadratic": lambda x, y: sum(
        (1 + squared_distance(x, y) / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5)
    ),
    "gaussian": lambda x, y: sum(
        np.exp(-squared_distance(x, y) / (2 * s**2)) for s in (1, 2, 4, 8, 16)
    ),
    "linear": lambda x, y: sum(a * b for a, b in zip(x, y, strict=True)),
}
every_kernel = pytest.mark.parametrize("kernel", KERNELS)


def squared_mmd(kernel, real, fake):
    k, m, n = KERNELS[kernel], len(real), len(fake)
    within_real = sum(k(real[i], real[j]) for i in range(m) for j in range(m) if i != j)
    within_fake = sum(k(fake[i], fake[j]) for i in range(n) for j in range(n) if i != j)
    across = sum(k(x, y) for x in real for y in fake)
    return within_real / (m * (m - 1)) + within_fake / (n * (n - 1)) - 2 * across / (m * n)


@every_kernel
def test_value_and_gradient_with_batches_of_different_sizes(kernel, agree):
    loss = MMD(kernel)
    agree(loss.generator_loss, lambda fake, real: squared_mmd(kernel, real, fake), FAKE, REAL)
    agree(loss.discriminator_loss, lambda *points: -squared_mmd(kernel, *points), REAL, FAKE)


@every_kernel
@pytest.mark.parametrize("same", [True, False])
def test_over_all_batches_it_is_on_average_the_distance_of_the_distributions(kernel, same):
    real = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 3.0]])  # each point as likely as the others
    fake = real if same else np.array([[1.0, 1.0], [2.0, 2.0], [-4.0, 0.0]])
    k = KERNELS[kernel]

    def mean(a, b):
        return np.mean([k(x, y) for x in a for y in b])

    truth = mean(real, real) + mean(fake, fake) - 2 * mean(real, fake)
    found = [
        MMD(kernel).generator_loss(torch.tensor(fake[[i, j]]), torch.tensor(real[[r, s]])).item()
        for i, j, r, s in product(range(3), repeat=4)
    ]
    assert np.mean(found) == pytest.approx(truth, abs=1e-12)
    assert min(found) < 0 or not same
    assert truth == pytest.approx(0, abs=1e-12) if same else truth > 0.1


@every_kernel
def test_duplicates_have_a_finite_gradient_of_zero_between_them(kernel):
    real = torch.ones(3, 8, requires_grad=True)
    fake = torch.ones(3, 8, requires_grad=True)
    MMD(kernel).discriminator_loss(real, fake).backward()
    torch.testing.assert_close(real.grad, torch.zeros(3, 8), rtol=0, atol=1e-12)
    torch.testing.assert_close(fake.grad, torch.zeros(3, 8), rtol=0, atol=1e-12)


@every_kernel
def test_far_from_the_origin_it_keeps_its_digits(kernel):
    real, fake = (torch.tensor(points, dtype=torch.float32) for points in (REAL, FAKE))
    real, fake = real + 1000, fake + 1000
    expected = squared_mmd(kernel, real.double().numpy() - 1000, fake.double().numpy() - 1000)
    assert MMD(kernel).generator_loss(fake, real).item() == pytest.approx(expected, rel=1e-6)


@every_kernel
def test_duplicates_so_large_that_their_distance_rounds_to_less_than_zero(kernel):
    close = torch.randn(8, 999, generator=torch.Generator().manual_seed(0)) * 1e-3
    real, fake = (close * 1e10).requires_grad_(), (close * -1e10).requires_grad_()
    found = MMD(kernel).generator_loss(fake, real)
    found.backward()
    for part in (found, real.grad, fake.grad):
        assert torch.isfinite(part).all()


@every_kernel
def test_bfloat16_embeddings_are_not_compared_in_bfloat16(kernel):
    real, fake = (torch.tensor(points).bfloat16() for points in (REAL, FAKE))
    expected = squared_mmd(kernel, real.double().numpy(), fake.double().numpy())
    assert MMD(kernel).generator_loss(fake, real).item() == pytest.approx(expected, rel=1e-12)
    with torch.autocast("cpu", torch.bfloat16):
        within_autocast = MMD(kernel).generator_loss(fake.float(), real.float())
    assert within_autocast.item() == pytest.approx(expected, rel=1e-12)


@every_kernel
def test_g_brings_the_batches_together_and_d_takes_them_apart(kernel):
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    before = MMD(kernel).generator_loss(fake, real)
    for sign, loss in (
        (1, lambda points: MMD(kernel).generator_loss(points, real)),
        (-1, lambda points: MMD(kernel).discriminator_loss(real, points)),
    ):
        points = fake.clone().requires_grad_()
        loss(points).backward()
        after = MMD(kernel).generator_loss(fake - 1e-3 * points.grad, real)
        assert sign * (before - after) > 0


def test_a_batch_of_one_is_refused():
    with pytest.raises(Unsupported, match="2 or more"):
        MMD().discriminator_loss(torch.zeros(1, 4), torch.zeros(1, 4))


def test_the_kernel_counts_and_no_other_is_known():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert len({MMD(kernel).generator_loss(fake, real).item() for kernel in KERNELS}) == 3
    with pytest.raises(BadInput, match="kernel"):
        settle(MMD, "loss", {"kernel": "rbf"})
