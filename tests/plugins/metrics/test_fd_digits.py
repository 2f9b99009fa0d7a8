import numpy as np
import pytest
import torch

from ganbench.api import Data, Samples, Unsupported
from ganbench_plugins.metrics.digits_cnn import DigitsCNN
from ganbench_plugins.metrics.fd_digits import FdDigits

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def metric(digits: Data) -> FdDigits:
    metric = FdDigits()
    metric.check(digits)
    metric.start(digits, CPU)
    return metric


def score(metric: FdDigits, samples: Samples) -> float:
    for batch in torch.split(samples, 128):
        metric.update(batch)
    return metric.result()["fd"]


def noisy(images: Samples, deviation: float) -> Samples:
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images + deviation * noise).clamp(0, 255).to(torch.uint8)


def test_settings(metric: FdDigits) -> None:
    assert metric.settings == ("digits-cnn", "uint8")


def test_the_reference_itself_scores_0(metric: FdDigits, digits: Data) -> None:
    assert score(metric, digits.samples) == pytest.approx(0, abs=1e-9)


def test_it_is_what_scipy_makes_of_the_same_features(
    metric: FdDigits, digits: Data, scipy_distance
) -> None:
    generated = noisy(digits.samples[:1000], 30)
    extract = DigitsCNN.trained(CPU).features
    moments = [
        part
        for features in (extract(digits.samples).double(), extract(generated).double())
        for part in (np.mean(features.numpy(), axis=0), np.cov(features.numpy(), rowvar=False))
    ]
    assert score(metric, generated) == pytest.approx(scipy_distance(*moments), rel=1e-4)


def test_it_grows_with_the_noise(metric: FdDigits, digits: Data) -> None:
    scores = [score(metric, noisy(digits.samples, deviation)) for deviation in (8, 16, 32, 64)]
    assert scores == sorted(scores)
    assert scores[-1] > 10 * scores[0]


def test_a_missing_class_costs_more_than_half_the_sample(metric: FdDigits, digits: Data) -> None:
    without_threes = digits.samples[digits.labels != 3]
    assert score(metric, without_threes) > 10 * score(metric, digits.samples[::2])


def test_it_warns_of_too_few_samples(metric: FdDigits, digits: Data) -> None:
    with pytest.warns(UserWarning, match="64 generated samples give 64 features"):
        score(metric, digits.samples[:64])


@pytest.mark.parametrize(
    ("samples", "given"),
    [
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), r"images of shape \(3, 32, 32\)"),
        (torch.zeros(2, 2), r"points of shape \(2,\)"),
    ],
)
def test_other_data_are_refused(samples: Samples, given: str) -> None:
    with pytest.raises(
        Unsupported, match=r"fd-digits needs grey images of shape \(1, 8, 8\).*" + given
    ):
        FdDigits().check(Data(samples, "all"))
