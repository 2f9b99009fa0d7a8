from itertools import islice

import pytest
import torch

from ganbench.batches import Batches, as_images, as_samples, resident
from ganbench.data import Data

CPU = torch.device("cpu")
BYTES = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)


def drawn(samples: torch.Tensor, size: int, count: int, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return list(islice(Batches(samples, size, CPU, generator), count))


def numbered(count: int) -> torch.Tensor:
    return torch.arange(count, dtype=torch.float32)[:, None]


@pytest.mark.parametrize(("size", "count"), [(5, 3), (3, 5), (1, 15), (15, 1), (7, 5)])
def test_every_pass_is_a_permutation_whatever_the_batch(size, count):
    order = torch.cat(drawn(numbered(5), size, count)).flatten()
    assert [len(batch) for batch in drawn(numbered(5), size, count)] == [size] * count
    for one_pass in order[: len(order) // 5 * 5].split(5):
        assert sorted(one_pass.tolist()) == [0, 1, 2, 3, 4]


def test_the_order_does_not_depend_on_the_batch_size():
    assert torch.equal(torch.cat(drawn(numbered(5), 3, 5)), torch.cat(drawn(numbered(5), 5, 3)))


@pytest.mark.parametrize("samples", [numbered(8), BYTES], ids=["points", "images"])
def test_a_batch_is_a_copy_so_that_nobody_can_change_the_data(samples):
    before = samples.clone()
    for batch in drawn(samples, 4, 3):
        batch.data.zero_()
    assert torch.equal(samples, before)


def test_passes_are_shuffled_anew():
    first, second = drawn(numbered(50), 50, 2)
    assert not torch.equal(first, second)
    assert not torch.equal(first, numbered(50))


def test_batches_are_their_generators_alone():
    before = torch.get_rng_state()
    one, two, other = (torch.cat(drawn(numbered(50), 7, 9, seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_images_come_as_floats_and_the_samples_stay():
    samples = BYTES.clone()
    (batch,) = drawn(samples, 4, 1)
    assert batch.shape == (4, 1, 8, 8)
    assert batch.dtype == torch.float32
    assert (float(batch.min()), float(batch.max())) == (-1.0, 1.0)
    assert torch.equal(samples, BYTES)


def test_points_are_untouched():
    points = torch.tensor([[-300.0, 0.125], [7.5, 1e-6]])
    assert torch.equal(as_images(points), points)
    (batch,) = drawn(points, 2, 1)
    assert sorted(batch.tolist()) == sorted(points.tolist())
    batch.zero_()
    assert points[0, 0] == -300.0


def test_bytes_map_onto_minus_one_to_one():
    given = torch.tensor([0, 51, 102, 153, 204, 255], dtype=torch.uint8)
    expected = torch.tensor([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0])
    torch.testing.assert_close(as_images(given), expected)


def test_all_256_values_survive_the_way_there_and_back():
    assert torch.equal(as_samples(as_images(BYTES)), BYTES)


def test_halves_are_rounded_up():
    """0 is 127.5 on the scale of bytes; so is every (k - 127) / 127.5 a half, k + 0.5."""
    assert as_samples(torch.tensor([0.0])).tolist() == [128]
    assert as_samples(torch.tensor([-1e-6])).tolist() == [127]
    assert as_samples(torch.tensor([1e-6])).tolist() == [128]
    # 127.5 x = 63.75 and -63.75: 191.25 and 63.75.
    assert as_samples(torch.tensor([0.5, -0.5])).tolist() == [191, 64]


def test_rounding_agrees_with_exact_arithmetic():
    values = torch.rand(5000, dtype=torch.float64) * 2 - 1
    exact = values * 127.5 + 127.5
    clear = (exact - exact.floor() - 0.5).abs() > 1e-4
    expected = (exact + 0.5).floor().to(torch.uint8)
    assert torch.equal(as_samples(values.float())[clear], expected[clear])


def test_what_is_out_of_range_is_clamped():
    assert as_samples(torch.tensor([-3.0, -1.001, 1.001, 300.0])).tolist() == [0, 0, 255, 255]


def test_what_is_given_is_not_changed():
    images = torch.tensor([0.25, -2.0])
    as_samples(images)
    assert images.tolist() == [0.25, -2.0]


def test_on_a_cpu_the_samples_stay_where_they_are():
    assert resident(Data(BYTES, "all"), CPU) is BYTES


def halves(count: int) -> torch.Tensor:
    """Images whose left half is black and right half white."""
    images = torch.zeros(count, 1, 2, 4, dtype=torch.uint8)
    images[..., 2:] = 255
    return images


def test_about_half_of_the_images_are_mirrored_and_the_order_stays():
    def left(flips):
        orders = torch.Generator().manual_seed(0)
        batch = next(Batches(halves(400), 400, CPU, orders, flips))
        return batch[:, 0, 0, 0]

    assert (left(None) == -1).all()
    mirrored = (left(torch.Generator().manual_seed(1)) == 1).sum()
    assert 160 < int(mirrored) < 240
    mirrored_again = (left(torch.Generator().manual_seed(1)) == 1).sum()
    assert mirrored == mirrored_again


def test_restored_it_goes_on_where_it_was():
    def make():
        return Batches(halves(7), 3, CPU, torch.Generator(), torch.Generator())

    original, other = make(), make()
    for _ in range(4):
        next(original)
    other.restore(original.state())
    for _ in range(5):
        assert torch.equal(next(original), next(other))
