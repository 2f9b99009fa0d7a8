"""Top-k by hand."""

import pytest
import torch

from ganbench_plugins.penalties.top_k import TopK

LOGITS = torch.tensor([3.0, -1.0, 7.0, 0.5, 2.0, -4.0, 9.0, 1.0])


def kept(selection, step, logits=LOGITS):
    return sorted(selection.select(logits, step).tolist(), reverse=True)


def test_in_the_first_epoch_all_count():
    selection = TopK(gamma=0.5, nu=0.0, decay_every=10)
    assert kept(selection, 0) == kept(selection, 9) == sorted(LOGITS.tolist(), reverse=True)


def test_k_falls_with_each_epoch_and_the_largest_stay():
    selection = TopK(gamma=0.5, nu=0.0, decay_every=10)
    assert kept(selection, 10) == kept(selection, 19) == [9.0, 7.0, 3.0, 2.0]
    assert kept(selection, 20) == [9.0, 7.0]
    assert kept(selection, 30) == [9.0]
    assert kept(selection, 10**6) == [9.0]  # at least one


@pytest.mark.parametrize(("nu", "count"), [(0.25, 2), (0.3, 2), (0.5, 4), (1.0, 8)])
def test_k_stops_at_the_share_nu(nu, count):
    assert len(kept(TopK(gamma=0.5, nu=nu, decay_every=1), 50)) == count


def test_the_defaults_reach_half_after_69_epochs():
    logits = torch.arange(64.0)
    counts = [len(kept(TopK(), 781 * epoch, logits)) for epoch in (0, 1, 68, 69, 500)]
    assert counts == [64, 63, 32, 32, 32]  # 64 * 0.99^68 = 32.3
    assert 0.99**68 > 0.5 > 0.99**69


def test_gradients_go_to_those_that_count():
    logits = LOGITS.clone().requires_grad_()
    TopK(gamma=0.5, nu=0.0, decay_every=1).select(logits, 2).sum().backward()
    assert logits.grad.tolist() == [0, 0, 1, 0, 0, 0, 1, 0]


def test_it_has_no_memory():
    selection = TopK(gamma=0.5, decay_every=1)
    late = kept(selection, 5)
    kept(selection, 0)
    assert kept(selection, 5) == late
