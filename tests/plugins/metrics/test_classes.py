"""`classes`, by hand and on the digits that ship with scikit-learn."""

import math

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from ganbench.api import Data, Summary
from ganbench.features import Pass
from ganbench_plugins.extractors.digits_cnn import DigitsExtractor
from ganbench_plugins.metrics.classes import Classes


def summary(*counts: int) -> Summary:
    return Summary(sum(counts), {"class_counts": torch.tensor(counts)})


def score(real: Summary, generated: Summary) -> dict[str, float]:
    estimates = Classes().compare(real, generated)
    return {name: estimate.value for name, estimate in estimates.items()}


def test_its_contract() -> None:
    metric = Classes()
    assert list(metric.directions.items()) == [("class_kl", "lower"), ("classes_covered", "higher")]
    assert (metric.needs, metric.settings, metric.least_samples) == ({"class_counts"}, (), 1)


def test_by_hand() -> None:
    expected = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.25)
    assert score(summary(2, 1, 1), summary(1, 3, 0)) == {
        "class_kl": pytest.approx(expected, rel=1e-12),
        "classes_covered": 2,
    }


def test_equal_shares_do_not_diverge() -> None:
    assert score(summary(20, 10, 70), summary(2, 1, 7)) == {"class_kl": 0, "classes_covered": 3}


def test_one_class_diverges_by_the_log_of_its_share() -> None:
    real, generated = summary(1, 9), summary(50, 0)
    result = Classes().compare(real, generated)
    assert result["class_kl"] == (pytest.approx(math.log(10)), 0)
    assert result["classes_covered"] == (1, 0)


def test_a_class_that_the_reference_lacks_is_infinitely_far() -> None:
    assert score(summary(5, 0), summary(5, 1)) == {"class_kl": math.inf, "classes_covered": 2}


def test_one_sample_is_enough() -> None:
    estimates = Classes().compare(summary(3, 1), summary(0, 1)).values()
    assert all(math.isfinite(part) for estimate in estimates for part in estimate)


def test_counts_stay_as_they_are() -> None:
    real, generated = summary(2, 1), summary(1, 3)
    Classes().compare(real, generated)
    assert real.class_counts.tolist() == [2, 1]
    assert generated.class_counts.tolist() == [1, 3]


@pytest.fixture(scope="module")
def digits() -> Data:
    bunch = load_digits()
    images = torch.from_numpy(bunch.images * (255 / 16) + 0.5).to(torch.uint8)[:, None]
    return Data(images, "all", torch.from_numpy(bunch.target).long())


def seen(images: Tensor) -> Summary:
    network = DigitsExtractor().load(torch.device("cpu"))
    one_pass = Pass(network, DigitsExtractor.batch_size, {"class_counts"}, len(images))
    one_pass.add(images)
    return one_pass.summary()


def test_on_digits(digits: Data) -> None:
    assert digits.labels is not None
    everything = seen(digits.samples)
    zeros, sevens = (digits.samples[digits.labels == digit] for digit in (0, 7))
    assert score(everything, everything) == {"class_kl": 0, "classes_covered": 10}
    alone = score(everything, seen(zeros))
    assert alone == {
        "class_kl": pytest.approx(math.log(1797 / 178), rel=0.01),
        "classes_covered": 1,
    }
    assert score(everything, seen(torch.cat([zeros, sevens[:1]])))["classes_covered"] == 2
