import numpy as np
import pytest
import torch

from ganbench.errors import ContractBroken
from ganbench.features import EVEN, Features, FixedBatches, Gatherer, Pass

ALL = ("moments", "values", "logits", "class_counts")


def random_features(count: int, size: int = 4, classes: int = 3) -> Features:
    generator = torch.Generator().manual_seed(count)
    return Features(
        torch.randn(count, size, generator=generator),
        torch.randn(count, classes, generator=generator),
    )


def gathered(features: Features, parts, cuts):
    gatherer = Gatherer(parts, len(features.values))
    for values, logits in zip(
        np.split(features.values.numpy(), cuts),
        np.split(features.logits.numpy(), cuts),
        strict=True,
    ):
        gatherer.add(Features(torch.from_numpy(values), torch.from_numpy(logits)))
    return gatherer.summary()


@pytest.mark.parametrize("cuts", [[], [1, 2], [700, 701, 2500]])
def test_a_summary_holds_all_that_was_added(cuts):
    features = random_features(2601)
    summary = gathered(features, ALL, cuts)
    values, logits = features.values, features.logits
    assert summary.count == 2601
    assert torch.equal(summary.values, values)
    assert torch.equal(summary.logits, logits)
    expected = np.bincount(logits.numpy().argmax(1), minlength=3)
    assert summary.class_counts.tolist() == expected.tolist()
    np.testing.assert_allclose(summary.mean, values.double().mean(0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        summary.covariance, np.cov(values.double().numpy(), rowvar=False), rtol=1e-11
    )
    assert torch.equal(summary.evenly, values[::2])


@pytest.mark.parametrize(("count", "stride"), [(5, 1), (EVEN, 1), (EVEN + 1, 2), (3 * EVEN, 3)])
def test_evenly_spread_values_are_at_most_so_many(count, stride):
    features = random_features(count)
    summary = gathered(features, ["moments"], range(7, count, 13))
    assert torch.equal(summary.evenly, features.values[::stride])
    assert len(summary.evenly) <= EVEN


@pytest.mark.parametrize("part", ALL)
def test_nothing_else_is_kept(part):
    summary = gathered(random_features(10), [part], [4])
    names = {"moments": {"mean", "covariance", "evenly"}}.get(part, {part})
    assert set(summary.tensors) == names


def test_without_logits_there_are_none():
    gatherer = Gatherer(ALL, 2)
    gatherer.add(Features(torch.eye(2)))
    assert set(gatherer.summary().tensors) == {"mean", "covariance", "evenly", "values"}


def test_what_is_kept_is_float32_and_moments_are_of_what_came():
    gatherer = Gatherer(["moments", "values"], 3)
    exact = torch.tensor([[1.0], [1.0 + 1e-12], [4.0]], dtype=torch.float64)
    gatherer.add(Features(exact))
    summary = gatherer.summary()
    assert summary.values.dtype == torch.float32
    assert summary.mean.dtype == summary.covariance.dtype == torch.float64
    assert float(summary.mean) == pytest.approx(2 + 1e-12 / 3, abs=1e-16)


def test_another_number_than_was_said_is_a_bug_of_ours():
    gatherer = Gatherer(["values"], 3)
    gatherer.add(random_features(2))
    with pytest.raises(AssertionError):
        gatherer.summary()


def test_the_root_of_a_covariance_is_made_once_and_squares_to_it():
    summary = gathered(random_features(50), ["moments"], [])
    root = summary.covariance_root
    assert summary.covariance_root is root
    torch.testing.assert_close(root @ root, summary.covariance)
    torch.testing.assert_close(root, root.T)


def test_what_is_derived_is_made_once_for_each_name():
    summary = gathered(random_features(5), ["values"], [])
    made = []

    def make():
        made.append(1)
        return len(made)

    assert [summary.derived(name, make) for name in ("one", "one", "two")] == [1, 1, 2]


@pytest.mark.parametrize("pieces", [[7], [1] * 7, [3, 4], [2, 0, 5], [6, 1]])
def test_batches_have_one_size_whatever_the_pieces(pieces):
    samples = torch.arange(7.0).view(7, 1)
    batches = FixedBatches(3)
    found = [b for piece in samples.split(pieces) for b in batches.add(piece)]
    assert [len(b) for b in found] == [3, 3]
    rest = batches.rest()
    assert [len(b) for b in rest] == [1]
    assert torch.equal(torch.cat([*found, *rest]), samples)
    assert batches.rest() == []


def test_a_pass_shows_the_network_each_sample_once_in_full_precision():
    seen = []

    def network(samples):
        assert not torch.is_grad_enabled()
        seen.append((len(samples), torch.backends.cuda.matmul.fp32_precision))
        return Features(samples * 2)

    samples = torch.arange(10.0).view(10, 1)
    one_pass = Pass(network, 4, ["values"], 10)
    for piece in samples.split([1, 6, 3]):
        one_pass.add(piece)
    assert torch.equal(one_pass.summary().values, samples * 2)
    assert seen == [(4, "ieee"), (4, "ieee"), (2, "ieee")]


@pytest.mark.parametrize("where", ["values", "logits"])
def test_features_that_are_not_finite_are_refused(where):
    """As a class of their own they would be counted, since argmax calls a NaN the largest."""

    def network(samples):
        broken = {"values": samples.clone(), "logits": samples.clone()}
        broken[where][-1, 0] = float("nan")
        return Features(**broken)

    one_pass = Pass(network, 4, ["class_counts"], 6, Gatherer)
    with pytest.raises(ContractBroken, match=rf"Gatherer made {where} that are not finite"):
        one_pass.add(torch.ones(6, 2))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (torch.ones(4, 2), "has to return Features; it returned Tensor"),
        (None, "has to return Features; it returned NoneType"),
        (Features(torch.ones(3, 2)), r"it made .3, 2."),
        (Features(torch.ones(4)), r"it made .4."),
        (Features(torch.ones(4, 2), torch.ones(3, 2)), r"has to return logits .* it made .3, 2."),
        (Features(np.ones((4, 2))), "it made ndarray"),
        (Features(None), "it made NoneType"),
    ],
)
def test_other_shapes_break_the_contract(made, message):
    with pytest.raises(ContractBroken, match=message):
        Pass(lambda _: made, 4, ["values"], 4).add(torch.ones(4, 2))


def test_what_names_classes_has_to_make_logits():
    with pytest.raises(ContractBroken, match="has to return logits, since it names classes"):
        Pass(Features, 4, ["class_counts"], 4).add(torch.ones(4, 2))
