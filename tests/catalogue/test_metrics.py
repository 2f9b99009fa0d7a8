"""What every metric and every extractor that ganbench brings along keeps to."""

import math

import pytest
import torch

from ganbench.catalogue import EXTRACTOR, METRIC
from ganbench.choices import choose
from ganbench.components import Estimate
from ganbench.data import Data
from ganbench.features import PARTS, Features, Gatherer, Summary
from ganbench.plugins import discover
from ganbench.specs import Spec

CPU = torch.device("cpu")
CATALOGUE = discover()
METRICS = {c.name: c.cls for c in CATALOGUE.of_kind(METRIC)}
ON_FEATURES = sorted(name for name, cls in METRICS.items() if hasattr(cls, "compare"))
ALL = frozenset(PARTS)
COUNT = 1200  # enough for all at their defaults


def metric(name: str):
    return choose(CATALOGUE, METRIC, Spec(name)).create()


def summary(seed: int, shift: float = 0.0, count: int = COUNT, parts=ALL) -> Summary:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(count, 6, generator=generator) + shift * torch.linspace(0, 1, 6)
    gatherer = Gatherer(parts, count)
    gatherer.add(Features(values, torch.randn(count, 5, generator=generator) + values[:, :5]))
    return gatherer.summary()


@pytest.mark.parametrize("name", ON_FEATURES)
def test_values_have_the_declared_names_and_say_their_noise(name):
    found = metric(name).compare(summary(0), summary(1, 0.5))
    assert set(found) == set(METRICS[name].directions)
    for estimate in found.values():
        assert isinstance(estimate, Estimate)
        assert type(estimate.value) is float
        assert math.isfinite(estimate.value)
        assert 0 <= estimate.noise < math.inf


@pytest.mark.parametrize("name", ON_FEATURES)
def test_a_comparison_is_pure(name):
    real, generated = summary(0), summary(1, 0.5)
    before = [{n: t.clone() for n, t in each.tensors.items()} for each in (real, generated)]
    state = torch.get_rng_state()
    first = metric(name).compare(real, generated)
    assert metric(name).compare(real, generated) == first
    assert metric(name).compare(summary(0), summary(1, 0.5)) == first
    assert torch.equal(torch.get_rng_state(), state)
    for each, tensors in zip((real, generated), before, strict=True):
        assert set(each.tensors) == set(tensors)
        assert all(torch.equal(each.tensors[n], t) for n, t in tensors.items())


@pytest.mark.parametrize("name", ON_FEATURES)
def test_it_uses_no_more_than_it_needs(name):
    parts = METRICS[name].needs
    assert parts <= PARTS.keys()
    names = {tensor for part in parts for tensor in PARTS[part]}

    def reduced(full: Summary) -> Summary:
        return Summary(full.count, {n: t for n, t in full.tensors.items() if n in names})

    real, generated = summary(0), summary(1, 0.5)
    expected = metric(name).compare(real, generated)
    assert metric(name).compare(reduced(real), reduced(generated)) == expected


@pytest.mark.parametrize("name", ON_FEATURES)
def test_worse_samples_have_worse_scores(name):
    """Each headline, from the same distribution to one far away."""
    (key, direction), *_ = METRICS[name].directions.items()
    near = metric(name).compare(summary(0), summary(1))[key].value
    far = metric(name).compare(summary(0), summary(1, 12.0))[key].value
    if name == "inception-score":
        pytest.skip("an Inception Score looks at no real sample, and the classes stay as even")
    assert near < far if direction == "lower" else near > far


@pytest.mark.parametrize("name", ON_FEATURES)
def test_one_sample_over_and_over_is_no_crash(name):
    generated = Gatherer(PARTS.keys(), COUNT)
    generated.add(Features(torch.ones(COUNT, 6), torch.ones(COUNT, 5)))
    for estimate in metric(name).compare(summary(0), generated.summary()).values():
        assert not math.isinf(estimate.value)


@pytest.mark.parametrize("name", ON_FEATURES)
def test_the_least_number_of_samples_is_enough(name):
    least = metric(name).least_samples
    assert least >= 1
    parts = METRICS[name].needs
    real, generated = (summary(seed, count=least, parts=parts) for seed in (0, 1))
    found = metric(name).compare(real, generated)
    assert set(found) == set(METRICS[name].directions)


@pytest.mark.parametrize("name", ["digits-cnn", "mnist-cnn", "stacked-mnist-cnn"])
def test_features_do_not_depend_on_the_batch_they_come_in(name, bundled):
    channels, side = {"mnist-cnn": (1, 28), "stacked-mnist-cnn": (3, 28)}.get(name, (1, 8))
    shape = (10, channels, side, side)
    images = torch.randint(256, shape, generator=torch.Generator().manual_seed(0))
    extractor = choose(bundled, EXTRACTOR, Spec(name)).create()
    network = extractor.load(CPU)
    whole = network(images.to(torch.uint8))
    parts = [network(piece) for piece in images.to(torch.uint8).split([3, 7])]
    torch.testing.assert_close(whole.values, torch.cat([p.values for p in parts]))
    assert (whole.logits is not None) == getattr(type(extractor), "names_classes", False)
    assert whole.values.dim() == 2
    assert whole.values.dtype == torch.float32


def test_raw_takes_points_as_they_are(bundled):
    points = Data(torch.randn(5, 2), "all")
    extractor = choose(bundled, EXTRACTOR, Spec("raw")).create()
    extractor.check(points)
    assert torch.equal(extractor.load(CPU)(points.samples).values, points.samples)
