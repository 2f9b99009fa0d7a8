"""What holds of every registered loss, and of every recipe's."""

import inspect
from typing import Literal, get_args, get_origin

import pytest
import torch

from ganbench.choices import fields_of
from ganbench.plugins import LOSS, discover

BUNDLED = discover()
LOSSES = {c.name: c.cls for c in BUNDLED.of_kind(LOSS)}
OF_LOGITS = [name for name, cls in LOSSES.items() if not getattr(cls, "uses_embeddings", False)]
OF_EMBEDDINGS = [name for name in LOSSES if name not in OF_LOGITS]


def variants(names):
    """(name, fields) for the defaults and for every value of every field that is a choice."""
    for name in names:
        yield name, {}
        for field in fields_of(LOSSES[name]).values():
            is_choice = get_origin(field.hint) is Literal
            choices = get_args(field.hint) if is_choice else ()
            choices = (True, False) if field.hint is bool else choices
            yield from ((name, {field.name: v}) for v in choices if v != field.default)


LOGIT_VARIANTS = [pytest.param(*v, id=f"{v[0]} {v[1]}") for v in variants(OF_LOGITS)]
ALL_VARIANTS = [pytest.param(*v, id=f"{v[0]} {v[1]}") for v in variants(LOSSES)]


def made(name, fields):
    return LOSSES[name](**fields)


def outputs(name, count=6, dtype=torch.float64, seed=0):
    """What D returns for a batch, as the loss wants it: logits or embeddings."""
    random = torch.Generator().manual_seed(seed)
    shape = (count,) if name in OF_LOGITS else (count, 4)
    values = torch.rand(shape, generator=random, dtype=torch.float64) * 1.6 - 0.8
    return values.to(dtype).requires_grad_()


def of_both(loss, real, fake):
    """Both players' losses; the real logits go to G as to a loss that asks for them."""
    needs = getattr(loss, "needs_real_in_generator_step", False)
    return loss.discriminator_loss(real, fake), loss.generator_loss(fake, real if needs else None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("name", "fields"), ALL_VARIANTS)
def test_huge_outputs_give_finite_losses_and_gradients(name, fields, dtype):
    for size in (1e4, -1e4):
        for other in (1e4, -1e4, 0.0):
            real, fake = outputs(name, dtype=dtype), outputs(name, dtype=dtype, seed=1)
            real, fake = (real.detach() + size, fake.detach() + other)
            real.requires_grad_(), fake.requires_grad_()
            for value in of_both(made(name, fields), real, fake):
                real.grad = fake.grad = None
                value.backward()
                grads = [g for g in (real.grad, fake.grad) if g is not None]
                assert all(torch.isfinite(found).all() for found in (value, *grads))


@pytest.mark.parametrize(("name", "fields"), LOGIT_VARIANTS)
def test_gs_step_raises_the_logits_of_fakes(name, fields):
    _, generator_loss = of_both(made(name, fields), outputs(name), fake := outputs(name, seed=1))
    generator_loss.backward()
    assert (fake.grad <= 0).all()
    assert (fake.grad < 0).any()


@pytest.mark.parametrize(("name", "fields"), LOGIT_VARIANTS)
def test_ds_step_separates_real_from_fake(name, fields):
    real, fake = outputs(name), outputs(name, seed=1)
    made(name, fields).discriminator_loss(real, fake).backward()
    assert real.grad.sum() - (0 if fake.grad is None else fake.grad.sum()) < 0


@pytest.mark.parametrize("name", OF_EMBEDDINGS)
def test_descending_separates_embeddings_and_brings_them_together(name):
    """One small gradient step of each player changes what D measures in its favour."""
    real, fake = outputs(name), outputs(name, seed=1)
    loss = made(name, {})
    before, _ = of_both(loss, real, fake)
    before.backward()
    moved = [x.detach() - 1e-3 * x.grad for x in (real, fake)]
    assert loss.discriminator_loss(*moved) < before
    fake.grad = None
    _, of_generator = of_both(loss, real.detach(), fake)
    of_generator.backward()
    nearer = fake.detach() - 1e-3 * fake.grad
    assert loss.discriminator_loss(real.detach(), nearer) > before


@pytest.mark.parametrize(("name", "fields"), ALL_VARIANTS)
def test_the_order_in_a_batch_matters_only_where_pairing_is_declared(name, fields):
    real, fake = (outputs(name, seed=seed).detach() for seed in (0, 1))
    real, fake = (9 * (x - x.mean(0)) for x in (real, fake))
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    before = of_both(made(name, fields), real, fake)
    after = of_both(made(name, fields), real, fake[order])
    pairs = getattr(LOSSES[name], "pairs_samples", False)
    for first, second in zip(before, after, strict=True):
        assert torch.isclose(first, second, rtol=1e-12) != pairs


@pytest.mark.parametrize(("name", "fields"), ALL_VARIANTS)
def test_the_global_random_generator_is_left_alone(name, fields):
    before = torch.get_rng_state()
    of_both(made(name, fields), outputs(name), outputs(name, seed=1))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "fields"), ALL_VARIANTS)
def test_single_precision_agrees_with_double(name, fields):
    exact = of_both(made(name, fields), outputs(name), outputs(name, seed=1))
    single = of_both(
        made(name, fields),
        outputs(name, dtype=torch.float32),
        outputs(name, dtype=torch.float32, seed=1),
    )
    for found, expected in zip(single, exact, strict=True):
        assert found.item() == pytest.approx(expected.item(), rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_it_declares_what_it_is_and_nothing_that_the_harness_would_not_read(name):
    cls = LOSSES[name]
    known = {"needs_real_in_generator_step", "pairs_samples", "uses_embeddings"}
    known |= {"needs_autoencoder", "recommended", "version"}
    annotated = inspect.get_annotations(cls, eval_str=True)
    facts = {n for n, hint in annotated.items() if "ClassVar" in str(hint)}
    assert facts <= known
