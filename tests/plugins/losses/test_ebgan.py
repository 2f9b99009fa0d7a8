"""ebgan against its formula."""

import numpy as np
import pytest
import torch

from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.ebgan import EBGAN

REAL = -np.array([0.5, 0.25, 0.75])  # minus the energies
FAKE = -np.array([0.125, 2.0, 0.25])


def test_by_hand():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert EBGAN().discriminator_loss(real, fake).item() == 0.5 + (0.875 + 0 + 0.75) / 3
    assert EBGAN().generator_loss(fake).item() == 2.375 / 3


@pytest.mark.parametrize("margin", [0.2, 1.0, 10.0])
def test_value_and_gradient(margin, agree):
    def of_d(real, fake):
        return np.mean(-real) + np.maximum(0, margin - (-fake)).mean()

    agree(EBGAN(margin).discriminator_loss, of_d, REAL, FAKE)
    agree(EBGAN(margin).generator_loss, lambda fake: np.mean(-fake), FAKE)


def test_the_margin_is_per_sample_and_d_rests_beyond_it():
    fake = torch.tensor(FAKE, requires_grad=True)
    EBGAN().discriminator_loss(torch.tensor(REAL), fake).backward()
    np.testing.assert_allclose(fake.grad, [1 / 3, 0, 1 / 3])


@pytest.mark.parametrize("text", ["0", "-1"])
def test_a_margin_that_is_none_is_refused(text):
    with pytest.raises(BadInput, match="margin"):
        settle(EBGAN, "loss", {"margin": text})
