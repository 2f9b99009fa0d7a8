import math
from pathlib import Path

import pytest
import torch

from ganbench.api import Data
from ganbench_plugins.datasets.mixtures import Gaussian, Grid, Ring

NOWHERE = Path("/nonexistent")


def means(data: Data) -> torch.Tensor:
    assert data.mixture is not None
    return data.mixture.means


def nearest(data: Data) -> torch.Tensor:
    return torch.cdist(data.samples.double(), means(data)).argmin(1)


@pytest.mark.parametrize("dataset", [Gaussian(), Ring(), Grid()], ids=str)
def test_every_load_gives_the_same_points(dataset):
    dataset.prepare(NOWHERE)
    first, second = dataset.load(NOWHERE), dataset.load(NOWHERE)
    assert first.fingerprint() == second.fingerprint()
    assert first.samples.dtype == torch.float32
    assert len(first) == 50_000
    assert first.split == "all"
    assert first.labels is None


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    Ring(size=10).load(NOWHERE)
    assert torch.equal(torch.get_rng_state(), before)


def test_gaussian_has_its_moments():
    data = Gaussian(mean=3.0, std=0.5, size=40_000).load(NOWHERE)
    assert data.shape == (1,)
    assert means(data).tolist() == [[3.0]]
    points = data.samples.double()
    # Five standard errors: std / sqrt(N) of a mean, std / sqrt(2 N) of a standard deviation.
    assert abs(points.mean().item() - 3.0) < 5 * 0.5 / math.sqrt(40_000)
    assert abs(points.std().item() - 0.5) < 5 * 0.5 / math.sqrt(80_000)


def test_ring_means_lie_on_the_circle_counter_clockwise():
    corner = math.sqrt(2)
    expected = [
        (2, 0), (corner, corner), (0, 2), (-corner, corner),
        (-2, 0), (-corner, -corner), (0, -2), (corner, -corner),
    ]  # fmt: skip
    data = Ring(size=8).load(NOWHERE)
    torch.testing.assert_close(means(data), torch.tensor(expected, dtype=torch.float64))
    assert means(Ring(modes=3, radius=1.5, size=1).load(NOWHERE)).norm(dim=1).tolist() == (
        pytest.approx([1.5] * 3)
    )


def test_grid_means_are_veegans():
    axis = [-4.0, -2.0, 0.0, 2.0, 4.0]
    assert means(Grid(size=1).load(NOWHERE)).tolist() == [[x, y] for x in axis for y in axis]


def test_an_even_grid_is_centred():
    assert means(Grid(side=2, spacing=3.0, size=1).load(NOWHERE)).tolist() == [
        [-1.5, -1.5], [-1.5, 1.5], [1.5, -1.5], [1.5, 1.5],
    ]  # fmt: skip


@pytest.mark.parametrize("dataset", [Ring(), Grid()], ids=str)
def test_modes_are_equally_full_and_equally_wide(dataset):
    data = dataset.load(NOWHERE)
    modes, mode = len(means(data)), nearest(data)
    share = 1 / modes
    counts = torch.bincount(mode, minlength=modes)
    spread = math.sqrt(len(data) * share * (1 - share))
    assert (counts - len(data) * share).abs().max() < 5 * spread
    offsets = data.samples.double() - means(data)[mode]
    # Modes stand at least 40 standard deviations apart, so that the nearest is the right one.
    assert offsets.std(dim=0).tolist() == pytest.approx([dataset.std] * 2, rel=5 / math.sqrt(1e5))
    assert offsets.mean(dim=0).abs().max() < 5 * dataset.std / math.sqrt(len(data))


def test_half_a_ring_has_the_whole_rings_covariance():
    """Why `modes` and not `fd-points` is the ring's headline."""
    ring = means(Ring(size=1).load(NOWHERE))
    torch.testing.assert_close(ring[::2].T.cov(correction=0), ring.T.cov(correction=0))


def test_the_first_metric_is_the_headline():
    assert [dataset.metrics[0] for dataset in (Gaussian, Ring, Grid)] == [
        "fd-points",
        "modes",
        "modes",
    ]
