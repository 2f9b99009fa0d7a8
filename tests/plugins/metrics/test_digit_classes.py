import math

import pytest
import torch

from ganbench.api import BadInput, Data, Unsupported
from ganbench_plugins.metrics.digit_classes import DigitClasses

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def metric(digits: Data) -> DigitClasses:
    metric = DigitClasses()
    metric.check(digits)
    metric.start(digits, CPU)
    return metric


def test_the_headline_is_the_divergence(metric: DigitClasses) -> None:
    assert list(metric.directions.items()) == [("class_kl", "lower"), ("classes_covered", "higher")]
    assert metric.settings == ("digits-cnn", "uint8")


def test_the_reference_itself_has_all_classes_and_no_divergence(
    metric: DigitClasses, digits: Data
) -> None:
    metric.update(digits.samples)
    assert metric.result() == {"class_kl": 0, "classes_covered": 10}


def test_one_class_diverges_by_the_log_of_its_share(metric: DigitClasses, digits: Data) -> None:
    metric.update(digits.samples[digits.labels == 0])
    result = metric.result()
    assert result["classes_covered"] == 1
    assert result["class_kl"] == pytest.approx(math.log(1797 / 178), rel=0.01)


def test_one_image_covers_a_class(metric: DigitClasses, digits: Data) -> None:
    metric.update(digits.samples[digits.labels == 0])
    metric.update(digits.samples[digits.labels == 7][:1])
    assert metric.result()["classes_covered"] == 2


def test_a_class_that_the_reference_lacks_is_infinitely_far(digits: Data) -> None:
    metric = DigitClasses()
    metric.start(Data(digits.samples[digits.labels == 0], "all"), CPU)
    metric.update(digits.samples)
    assert metric.result() == {"class_kl": math.inf, "classes_covered": 10}


def test_result_starts_anew_and_needs_samples(metric: DigitClasses, digits: Data) -> None:
    metric.update(digits.samples[:3])
    metric.result()
    with pytest.raises(BadInput, match="at least one generated image, and got none"):
        metric.result()


def test_other_data_are_refused() -> None:
    with pytest.raises(Unsupported, match=r"digit-classes needs .* given points of shape \(2,\)"):
        DigitClasses().check(Data(torch.zeros(2, 2), "all"))
