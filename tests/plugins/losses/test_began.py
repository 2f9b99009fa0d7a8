"""began: its losses, and its k by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from ganbench.choices import settle
from ganbench.errors import BadInput
from ganbench_plugins.losses.began import BEGAN

REAL = -np.array([0.5, 0.25, 0.75])  # minus the errors: 0.5 on average
FAKE = -np.array([0.125, 0.375, 0.25])  # 0.25


def tensors():
    return torch.tensor(REAL), torch.tensor(FAKE)


def test_k_starts_at_zero_where_d_only_reconstructs():
    loss = BEGAN()
    assert loss.k.item() == 0
    assert loss.discriminator_loss(*tensors()).item() == 0.5


@pytest.mark.parametrize("k", [0.0, 0.3, 1.0])
def test_value_and_gradient(k, agree):
    loss = BEGAN().double()
    loss.k.fill_(k)
    agree(loss.discriminator_loss, lambda real, fake: -real.mean() + k * fake.mean(), REAL, FAKE)
    agree(loss.generator_loss, lambda fake: -fake.mean(), FAKE)


def test_k_moves_in_gs_step_by_ds_last_real_error():
    loss = BEGAN(gamma=0.75, lambda_k=0.5)
    real, fake = tensors()
    loss.discriminator_loss(real * 100, fake)
    loss.discriminator_loss(real, fake)
    assert loss.k.item() == 0
    assert loss.generator_loss(fake).item() == 0.25
    assert loss.k.item() == 0.5 * (0.75 * 0.5 - 0.25)
    loss.discriminator_loss(real, fake)
    loss.generator_loss(fake * 2)
    assert loss.k.item() == 0.0625 + 0.5 * (0.75 * 0.5 - 0.5)


def test_k_stays_between_0_and_1():
    loss = BEGAN(gamma=1.0, lambda_k=100.0)
    real, fake = tensors()
    loss.discriminator_loss(real, fake)
    loss.generator_loss(fake)
    assert loss.k.item() == 1
    loss.generator_loss(fake * 8)
    assert loss.k.item() == 0


@pytest.mark.parametrize("fields", [{"gamma": 0.7}, {"lambda_k": 0.002}])
def test_each_field_counts(fields):
    found = []
    for loss in (BEGAN(), BEGAN(**fields)):
        real, fake = tensors()
        loss.discriminator_loss(real, fake / 2)
        loss.generator_loss(fake / 2)
        found.append(loss.k.item())
    assert found[0] != found[1]


def test_no_graph_outlives_a_step_and_k_may_move_before_ds_loss_is_differentiated():
    loss = BEGAN(gamma=1.0, lambda_k=1.0)
    loss.k.fill_(0.5)
    real, fake = (logits.requires_grad_() for logits in tensors())
    of_d = loss.discriminator_loss(real, fake)
    loss.generator_loss(fake)
    assert not loss.k.requires_grad
    assert not loss.real_error.requires_grad
    of_d.backward()
    np.testing.assert_allclose(fake.grad, 0.5 / 3)


def test_its_state_is_saved_and_moves_with_it():
    loss = BEGAN()
    loss.k.fill_(0.25)
    again = BEGAN()
    again.load_state_dict(loss.state_dict())
    assert set(loss.state_dict()) == {"k", "real_error"}
    assert again.k.item() == 0.25
    assert isinstance(loss, nn.Module)
    assert loss.to("meta").k.device.type == "meta"


@pytest.mark.parametrize(("name", "text"), [("gamma", "1.1"), ("gamma", "-1"), ("lambda_k", "-1")])
def test_values_out_of_range_are_refused(name, text):
    with pytest.raises(BadInput, match=name):
        settle(BEGAN, "loss", {name: text})
