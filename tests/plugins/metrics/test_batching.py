import pytest
import torch

from ganbench_plugins.metrics.batching import FixedBatches


def sizes_and_values(sizes: list[int]) -> list[list[int]]:
    batches = FixedBatches(4)
    parts = torch.split(torch.arange(sum(sizes)), sizes)
    out = [batch for part in parts for batch in batches.add(part)]
    return [batch.tolist() for batch in [*out, *batches.rest()]]


@pytest.mark.parametrize("sizes", [[10], [1] * 10, [3, 7], [9, 1], [4, 4, 2], [0, 10]])
def test_batches_are_the_same_however_samples_come(sizes: list[int]) -> None:
    assert sizes_and_values(sizes) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_no_rest_where_it_comes_out_even() -> None:
    assert sizes_and_values([8]) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_the_rest_is_given_once() -> None:
    batches = FixedBatches(4)
    batches.add(torch.arange(3))
    assert [batch.tolist() for batch in batches.rest()] == [[0, 1, 2]]
    assert batches.rest() == []
    assert batches.add(torch.arange(3)) == []
