"""What the metrics on known densities share: which data they take, and how they start anew."""

import math

import pytest
import torch

from ganbench.api import BadInput, Data, Mixture, Unsupported
from ganbench_plugins.metrics.jensen_shannon import JensenShannon
from ganbench_plugins.metrics.optimal_discriminator import DiscriminatorGap
from ganbench_plugins.metrics.wasserstein import Wasserstein

CPU = torch.device("cpu")
METRICS = {
    "jensen-shannon": JensenShannon,
    "wasserstein": Wasserstein,
    "optimal-discriminator": DiscriminatorGap,
}
every_metric = pytest.mark.parametrize(("name", "cls"), METRICS.items(), ids=METRICS)
all_data = pytest.mark.parametrize(
    ("cls", "features"),
    [(cls, features) for cls in METRICS.values() for features in range(1, cls.most_features + 1)],
)


def known(features: int, count: int = 4) -> Data:
    mixture = Mixture(torch.zeros(2, features, dtype=torch.float64), 1.0)
    samples = mixture.draw(count, torch.Generator().manual_seed(0))
    return Data(samples, "all", mixture=mixture)


def judged(metric):
    """D is shown to those that look at it."""
    if hasattr(metric, "judge"):
        metric.judge(lambda points: points[:, 0], Sure())
    return metric


class Sure:
    def optimal_logits(self, log_ratio):
        return log_ratio


@every_metric
@pytest.mark.parametrize(
    ("data", "given"),
    [
        (Data(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), "all"), r"images of shape \(1, 8, 8\)"),
        (Data(torch.zeros(2, 1), "all"), r"points of unknown density of shape \(1,\)"),
        (known(features=3), r"points of known density of shape \(3,\)"),
    ],
)
def test_other_data_are_refused(name, cls, data, given):
    with pytest.raises(Unsupported, match=f"^{name} needs points.*'gaussian'.*given {given}"):
        cls().check(data)


def test_optimal_discriminators_are_known_on_the_line_alone():
    DiscriminatorGap().check(known(features=1))
    with pytest.raises(Unsupported, match=r"on a line.*points of known density of shape \(2,\)"):
        DiscriminatorGap().check(known(features=2))


@every_metric
def test_result_starts_anew_and_needs_two_samples(name, cls):
    metric = cls()
    metric.start(known(1), CPU)
    metric.update(torch.zeros(3, 1))
    judged(metric).result()
    metric.update(torch.zeros(1, 1))
    with pytest.raises(BadInput, match=f"{name} needs at least 2 generated samples, and got 1"):
        judged(metric).result()
    with pytest.raises(BadInput, match="got 0"):
        judged(metric).result()


@all_data
@pytest.mark.parametrize("place", [0.0, 3.0, -1e4, 1e20])
def test_constant_fakes_have_finite_scores(cls, features, place):
    metric = cls()
    metric.start(known(features), CPU)
    metric.update(torch.full((40, features), place))
    for estimate in judged(metric).result().values():
        assert math.isfinite(estimate.value)
        assert estimate.value > 0
        assert estimate.noise <= 1e-10 * estimate.value


@all_data
def test_the_same_points_score_the_same_in_any_batches_and_draw_nothing(cls, features):
    points = known(features, 60).samples
    before = torch.get_rng_state()
    results = []
    for parts in ([60], [7, 50, 3]):
        metric = cls()
        metric.start(known(features), CPU)
        for part in points.split(parts):
            metric.update(part)
        results.append(judged(metric).result())
    assert results[0] == results[1]
    assert torch.equal(torch.get_rng_state(), before)


@every_metric
def test_another_place_and_scale_change_nothing_but_the_unit(name, cls):
    """Divergences have no unit; distances are in that of the data."""
    values = []
    for place, unit in ((0.0, 1.0), (300.0, 4.0)):
        mixture = Mixture(torch.full((1, 1), place, dtype=torch.float64), unit)
        metric = cls()
        metric.start(Data(torch.zeros(1, 1), "all", mixture=mixture), CPU)
        points = 0.5 + 1.5 * torch.randn(200, 1, generator=torch.Generator().manual_seed(1))
        metric.update(place + unit * points.double())
        if hasattr(metric, "judge"):
            metric.judge(lambda x, m=place, u=unit: (x[:, 0] - m) / u, Sure())
        unit = unit if name == "wasserstein" else 1.0
        values.append([each / unit for pair in metric.result().values() for each in pair])
    assert values[0] == pytest.approx(values[1], rel=1e-4)
