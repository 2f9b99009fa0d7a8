"""What holds for every registered loss in every form that it has."""

from itertools import product
from typing import Literal, get_args, get_origin

import pytest
import torch

from ganbench.catalogue import LOSS
from ganbench.choices import fields_of
from ganbench.plugins import discover

REAL = [-3.0, -0.5, 0.1, 1.25, 7.0]
FAKE = [2.0, -1.4, 0.25, -6.0, 0.5]


BUNDLED = discover()
CATALOGUE = {component.name: component.cls for component in BUNDLED.of_kind(LOSS)}


def forms():
    """Each class with every combination of what its Literal and bool fields can be."""
    for name, cls in CATALOGUE.items():
        options = {}
        for field in fields_of(cls).values():
            if get_origin(field.hint) is Literal:
                options[field.name] = get_args(field.hint)
            elif field.hint is bool:
                options[field.name] = (False, True)
        for values in product(*options.values()):
            chosen = dict(zip(options, values, strict=True))
            text = ":".join([name, *(f"{k}={v}" for k, v in chosen.items())])
            yield pytest.param(lambda cls=cls, chosen=chosen: cls(**chosen), id=text)


every_form = pytest.mark.parametrize("make", list(forms()))


def batch(loss, values, dtype=torch.float64):
    """Logits, or embeddings of 2 features for losses on those."""
    if getattr(loss, "uses_embeddings", False):
        values = [[value, value / 2 + 0.1] for value in values]
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def both(loss, real, fake):
    """D's loss, and G's with as much as it asks for."""
    given = real if getattr(loss, "needs_real_in_generator_step", False) else None
    return loss.discriminator_loss(real, fake), loss.generator_loss(fake, given)


@every_form
def test_both_losses_are_scalars_that_move_logits(make):
    loss = make()
    real, fake = batch(loss, REAL), batch(loss, FAKE)
    of_d, of_g = both(loss, real, fake)
    assert of_d.shape == of_g.shape == ()
    assert torch.autograd.grad(of_d, real)[0].abs().max() > 0
    assert torch.autograd.grad(of_g, fake)[0].abs().max() > 0


@every_form
def test_gradients_agree_with_finite_differences(make):
    loss = make()
    real, fake = batch(loss, REAL), batch(loss, FAKE)
    assert torch.autograd.gradcheck(lambda *logits: both(loss, *logits), (real, fake))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("signs", [*product([-1, 0, 1], repeat=2)])
@every_form
def test_huge_logits_stay_finite_and_so_do_their_gradients(make, signs, dtype):
    loss = make()
    real = batch(loss, [1e4 * signs[0]] * 3, dtype)
    fake = batch(loss, [1e4 * signs[1]] * 3, dtype)
    of_d, of_g = both(loss, real, fake)
    (of_d + of_g).backward()
    for found in (of_d, of_g, real.grad, fake.grad):
        assert torch.isfinite(found).all()


@every_form
def test_the_order_of_the_samples_does_not_matter_unless_they_are_paired(make):
    loss = make()
    real, fake = batch(loss, REAL), batch(loss, FAKE)
    expected = torch.stack(both(loss, real, fake))
    together = torch.stack(both(loss, real.flip(0), fake.flip(0)))
    apart = torch.stack(both(loss, real, fake.roll(1, 0)))
    torch.testing.assert_close(together, expected, rtol=1e-12, atol=1e-12)
    if getattr(loss, "pairs_samples", False):
        assert (apart - expected).abs().max() > 1e-3
    else:
        torch.testing.assert_close(apart, expected, rtol=1e-12, atol=1e-12)


@every_form
def test_g_raises_the_logits_of_its_fakes_and_d_lowers_them(make):
    loss = make()
    if getattr(loss, "uses_embeddings", False):
        pytest.skip("no direction of an embedding is more real")
    if hasattr(loss, "k"):
        loss.k.fill_(0.5)
    # Between the labels of the losses that have labels, and inside all margins.
    real, fake = batch(loss, [0.5, 0.6, 0.7]), batch(loss, [0.1, 0.2, 0.3])
    of_d, of_g = both(loss, real, fake)
    on_real, on_fake = torch.autograd.grad(of_d, (real, fake))
    assert (on_real < 0).all()
    assert (on_fake > 0).all()
    assert (torch.autograd.grad(of_g, fake)[0] < 0).all()


@every_form
def test_single_precision_agrees_with_double(make):
    exact, single = (
        both(loss, batch(loss, REAL, dtype), batch(loss, FAKE, dtype))
        for loss, dtype in ((make(), torch.float64), (make(), torch.float32))
    )
    for found, expected in zip(single, exact, strict=True):
        assert found.item() == pytest.approx(expected.item(), rel=2e-5, abs=2e-6)


def test_descending_separates_embeddings_and_brings_them_together():
    """One small step of each player changes what D measures in its favour."""
    for cls in CATALOGUE.values():
        if not getattr(cls, "uses_embeddings", False):
            continue
        loss = cls()
        real, fake = batch(loss, REAL), batch(loss, FAKE)
        before, of_g = both(loss, real, fake)
        on_real, on_fake = torch.autograd.grad(before, (real, fake), retain_graph=True)
        assert loss.discriminator_loss(real - 1e-3 * on_real, fake - 1e-3 * on_fake) < before
        nearer = fake - 1e-3 * torch.autograd.grad(of_g, fake)[0]
        assert loss.discriminator_loss(real, nearer) > before


@pytest.mark.parametrize(("name", "cls"), [*CATALOGUE.items()])
def test_the_facts_about_a_loss_are_no_fields(name, cls):
    facts = {
        "version", "recommended", "needs_real_in_generator_step", "pairs_samples",
        "uses_embeddings", "needs_autoencoder",
    }  # fmt: skip
    assert not facts & set(fields_of(cls))
    assert cls.version == 1


def test_which_losses_need_what():
    def having(fact):
        return {name for name, cls in CATALOGUE.items() if getattr(cls, fact, False)}

    assert having("needs_real_in_generator_step") == {"mmd", "ragan", "rpgan"}
    assert having("pairs_samples") == {"rpgan"}
    assert having("uses_embeddings") == {"mmd"}
    assert having("needs_autoencoder") == {"began", "ebgan"}
    assert having("constrain") == {"wasserstein"}
