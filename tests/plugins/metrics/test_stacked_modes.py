"""`stacked-modes`, by hand and on MNIST's own digits."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench.api import Data, Samples, Summary
from ganbench.features import Pass
from ganbench_plugins.datasets.stacked_mnist import StackedMnist
from ganbench_plugins.extractors.stacked_mnist_cnn import StackedMnistExtractor
from ganbench_plugins.metrics.stacked_modes import StackedModes

COUNT = 26_000


def summary(*labels: int) -> Summary:
    counts = torch.bincount(torch.tensor(labels), minlength=1000)
    return Summary(len(labels), {"class_counts": counts})


def score(real: Summary, generated: Summary) -> dict[str, float]:
    estimates = StackedModes().compare(real, generated)
    return {name: estimate.value for name, estimate in estimates.items()}


def test_its_contract() -> None:
    metric = StackedModes()
    assert list(metric.directions.items()) == [("modes_covered", "higher"), ("mode_kl", "lower")]
    assert (metric.needs, metric.settings, metric.least_samples) == ({"class_counts"}, (), 1)
    assert metric.extractor == "stacked-mnist-cnn"


def test_by_hand() -> None:
    # p_g = 1/4 on 123 and 3/4 on 007, of which p_r has 1/2 and 1/4.
    expected = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.25)
    assert score(summary(123, 123, 456, 7), summary(123, 7, 7, 7)) == {
        "modes_covered": 2,
        "mode_kl": pytest.approx(expected, rel=1e-12),
    }


def test_the_headline_comes_first() -> None:
    assert list(StackedModes().compare(summary(1), summary(1))) == ["modes_covered", "mode_kl"]


def test_a_mode_that_the_reference_lacks_is_infinitely_far() -> None:
    assert score(summary(123), summary(123, 124)) == {"modes_covered": 2, "mode_kl": math.inf}


def seen(images: Samples) -> Summary:
    network = StackedMnistExtractor().load(torch.device("cpu"))
    one_pass = Pass(network, StackedMnistExtractor.batch_size, {"class_counts"}, len(images))
    for batch in images.split(1024):
        one_pass.add(batch)
    return one_pass.summary()


@pytest.fixture(scope="module")
def real(real_mnist: Path) -> Data:
    return StackedMnist(size=COUNT).load(real_mnist)


@pytest.fixture(scope="module")
def of_real(real: Data) -> Summary:
    return seen(real.samples)


def kl(generated: Tensor, real: Tensor) -> float:
    """KL(generated || real) of the two samples of labels, in numpy."""
    p, q = (np.bincount(labels, minlength=1000) / len(labels) for labels in (generated, real))
    return float(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a))


def test_real_images_cover_all_modes(of_real: Summary, real: Data, real_mnist: Path) -> None:
    fresh = StackedMnist("test", size=COUNT).load(real_mnist)
    result = StackedModes().compare(of_real, seen(fresh.samples))
    assert result["modes_covered"] == (1000, 0)
    # By their true labels, and of about 999 / (2 N) for each of the two samples.
    value, noise = result["mode_kl"]
    assert value == pytest.approx(kl(fresh.labels, real.labels), rel=0.1)
    assert value == pytest.approx(999 / COUNT, rel=0.25)
    # That of no divergence, and something for the reference's own chance.
    assert math.sqrt(999 / 2) / COUNT < noise < 2 * math.sqrt(999 / 2) / COUNT


def test_a_collapsed_generator_covers_one_mode(of_real: Summary, real: Data) -> None:
    assert real.labels is not None
    one = real.samples[real.labels == 555][:1]
    result = score(of_real, seen(one.repeat(3000, 1, 1, 1)))
    assert result["modes_covered"] == 1
    # 5s are 5,421 of 60,000: -log of that, cubed.
    assert result["mode_kl"] == pytest.approx(-3 * math.log(5421 / 60_000), abs=0.5)
