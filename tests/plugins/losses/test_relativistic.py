"""rpgan and ragan against their formulas, as the papers print them."""

import numpy as np
import pytest
import torch

from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.relativistic import RelativisticAverage, RelativisticPaired

REAL = np.array([-3.0, -0.5, 0.1, 1.25, 7.0])
FAKE = np.array([2.0, -1.4, 0.25, -6.0, 0.5])


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


# The f_1 and f_2 of section 4; g_1 = f_2 and g_2 = f_1 in G's losses.
PAIRS = {
    "logistic": (lambda y: -log_sigmoid(y), lambda y: -np.log(1 - 1 / (1 + np.exp(-y)))),
    "least-squares": (lambda y: (y - 1) ** 2, lambda y: (y + 1) ** 2),
    "hinge": (lambda y: np.maximum(0, 1 - y), lambda y: np.maximum(0, 1 + y)),
}
every_function = pytest.mark.parametrize("function", PAIRS)


@every_function
def test_paired(function, agree):
    first, second = PAIRS[function]
    loss = RelativisticPaired(function)
    agree(loss.discriminator_loss, lambda real, fake: first(real - fake).mean(), REAL, FAKE)
    agree(loss.generator_loss, lambda fake, real: second(real - fake).mean(), FAKE, REAL)


@every_function
def test_average(function, agree):
    first, second = PAIRS[function]

    def of_d(real, fake):
        return first(real - fake.mean()).mean() + second(fake - real.mean()).mean()

    def of_g(fake, real):
        return first(fake - real.mean()).mean() + second(real - fake.mean()).mean()

    loss = RelativisticAverage(function)
    agree(loss.discriminator_loss, of_d, REAL, FAKE)
    agree(loss.generator_loss, of_g, FAKE, REAL)


def test_by_hand():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, -1.0])
    # Differences 1 and 4; with means 2 and -1/2: 3/2, 7/2, and 2, 3.
    paired, average = RelativisticPaired("least-squares"), RelativisticAverage("least-squares")
    assert paired.discriminator_loss(real, fake).item() == (0 + 9) / 2
    assert paired.generator_loss(fake, real).item() == (4 + 25) / 2
    assert average.discriminator_loss(real, fake).item() == (0.25 + 6.25) / 2 + (1 + 4) / 2
    assert average.generator_loss(fake, real).item() == (9 + 16) / 2 + (6.25 + 20.25) / 2


@pytest.mark.parametrize("cls", [RelativisticPaired, RelativisticAverage])
@every_function
def test_only_differences_of_logits_count(cls, function):
    loss = cls(function)
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    torch.testing.assert_close(
        loss.discriminator_loss(real + 100, fake + 100), loss.discriminator_loss(real, fake)
    )


@every_function
def test_real_samples_that_get_more_real_make_g_work_harder(function):
    fake = torch.tensor(FAKE)
    for cls in (RelativisticPaired, RelativisticAverage):
        loss = cls(function)
        near = loss.generator_loss(fake, torch.full((5,), 8.0))
        assert loss.generator_loss(fake, torch.full((5,), 9.0)) > near


def test_the_function_counts_and_no_other_is_known():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    for cls in (RelativisticPaired, RelativisticAverage):
        assert len({cls(f).discriminator_loss(real, fake).item() for f in PAIRS}) == 3
        with pytest.raises(BadInput, match="function"):
            settle(cls, "loss", {"function": "softplus"})
