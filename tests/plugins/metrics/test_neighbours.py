"""Radii and hits, against scikit-learn and NumPy in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from ganbench.api import Summary
from ganbench_plugins.metrics import distances, neighbours
from ganbench_plugins.metrics.neighbours import hits, measurable, nearest, squared_radii


def normal(count: int, seed: int, size: int = 16, scale: float = 1) -> Tensor:
    return scale * torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def whole(count: int, seed: int, high: int, size: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(high, (count, size), generator=generator).float()


def clustered(count: int, seed: int) -> Tensor:
    return normal(5, seed=9)[whole(count, seed, 5, 1)[:, 0].long()] + normal(
        count, seed, scale=1e-3
    )


def with_outliers(count: int, seed: int) -> Tensor:
    return torch.cat([normal(count - 1, seed), 1e6 * normal(1, seed + 50)])


HARD: dict[str, Callable[[int, int], Tensor]] = {
    "normal": normal,
    "far from 0": lambda count, seed: normal(count, seed) + 1e4,
    "many features": lambda count, seed: normal(count, seed, size=2048).relu(),
    "ties": lambda count, seed: whole(count, seed, high=3),
    "duplicates": lambda count, seed: normal(20, seed=9)[whole(count, seed, 20, 1)[:, 0].long()],
    "clusters": clustered,
    "outliers": with_outliers,
    "constant": lambda count, seed: torch.full((count, 3), 0.3),
    "fewer than are found at once": lambda count, seed: normal(6, seed),
}
hard = pytest.mark.parametrize("make", HARD.values(), ids=HARD)


def summary(values: Tensor) -> Summary:
    return Summary(len(values), {"values": values})


def expected_nearest(values: Tensor, depth: int) -> np.ndarray:
    x = values.double().numpy()
    x = x - x.mean(0)  # whose own products lose digits far from 0
    search = NearestNeighbors(n_neighbors=depth, algorithm="brute").fit(x)
    indices = search.kneighbors(return_distance=False)  # a sample is not its own neighbour
    return np.sort(((x[:, None] - x[indices]) ** 2).sum(2), axis=1)


@hard
def test_radii_are_those_of_scikit_learn(make: Callable[[int, int], Tensor]) -> None:
    values = make(150, 1)
    expected = expected_nearest(values, 5)
    np.testing.assert_allclose(nearest(values, 5).numpy(), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("closed", [True, False])
@hard
def test_hits_are_those_in_float64(make: Callable[[int, int], Tensor], closed: bool) -> None:
    real, generated = make(130, 1), make(110, 2)
    x, y = real.double(), generated.double()
    apart = cdist(x, y, "sqeuclidean")
    limits = [
        np.partition(cdist(x, x, "sqeuclidean"), 3)[:, 3:4],
        np.partition(cdist(y, y, "sqeuclidean"), 3)[:, 3][None],
    ]
    founds = hits(real, generated, [torch.from_numpy(limit) for limit in limits], closed)
    for limit, found in zip(limits, founds, strict=True):
        near = apart <= limit if closed else apart < limit
        assert found.of_real.tolist() == near.sum(1).tolist()
        assert found.of_generated.tolist() == near.sum(0).tolist()
        alike = (near[:, None] == near).all(2)
        assert torch.equal(found.whose[:, None] == found.whose, torch.from_numpy(alike))


@hard
def test_the_size_of_a_block_changes_nothing(
    make: Callable[[int, int], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, generated = make(130, 1), make(110, 2)

    def everything() -> list[Tensor]:
        squared = nearest(real, 5)
        (found,) = hits(real, generated, (squared[:, 2:3],), closed=True)
        return [squared, found.of_real, found.of_generated, found.whose]

    at_once = everything()
    monkeypatch.setattr(distances, "BLOCK", 7)
    assert all(map(torch.equal, at_once, everything()))


def test_what_float32_may_have_confused_is_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    again = []
    search = neighbours._nearest_in_double
    monkeypatch.setattr(
        neighbours, "_nearest_in_double", lambda *given: again.append(given[1]) or search(*given)
    )
    nearest(normal(150, seed=1), 5)
    nearest(torch.ones(150, 4), 5)
    assert not again
    nearest(with_outliers(150, seed=1), 5)
    assert len(again[0]) > 100  # next to an outlier, float32 takes all others for one


def test_the_noise_is_of_those_hit_by_one_and_by_the_same_two() -> None:
    real = torch.tensor([[0.0], [1.0], [10.0], [20.0], [30.0], [31.0]])
    generated = torch.tensor([[0.5], [10.0], [10.2], [30.4], [30.6], [99.0]])
    (found,) = hits(real, generated, (torch.ones(1, 6, dtype=torch.float64),), closed=True)
    # The first two have one fake for both, the third and the last two have two; one has none.
    value, noise = found.covered()
    assert value == 5 / 6
    assert noise == pytest.approx(np.sqrt(4**2 / (4 + 1 + 4) - 2**2 / 6) / 6, rel=1e-12)


def test_radii_are_searched_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    depths = []
    search = neighbours.nearest
    monkeypatch.setattr(
        neighbours, "nearest", lambda *given: depths.append(given[1]) or search(*given)
    )
    samples = summary(normal(50, seed=1))
    radii = [squared_radii(samples, k) for k in (3, 5, 3, 7)]
    assert depths == [5, 7]
    assert torch.equal(radii[0], radii[2])
    assert bool((radii[0] < radii[1]).all() and (radii[1] < radii[3]).all())


def test_what_has_no_distances() -> None:
    sound = summary(normal(10, seed=1))
    assert measurable(sound, sound)
    for value in (float("nan"), float("inf"), -float("inf"), 1e16):
        broken = normal(10, seed=1)
        broken[3, 4] = value
        assert not measurable(sound, summary(broken))
