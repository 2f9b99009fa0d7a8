"""The two metrics on MNIST itself, with the small classifier that ships."""

import math

import numpy as np
import pytest
import torch

from ganbench.api import Data, Unsupported
from ganbench_plugins.datasets.mnist import Mnist
from ganbench_plugins.metrics.fd_mnist import FdMnist
from ganbench_plugins.metrics.mnist_classes import MnistClasses
from ganbench_plugins.metrics.mnist_cnn import MnistCNN

CPU = torch.device("cpu")
METRICS = [FdMnist, MnistClasses]


@pytest.fixture(scope="module")
def mnist(real_mnist) -> Data:
    return Mnist("test").load(real_mnist)


def scored(metric, reference, samples):
    metric.check(reference)
    metric.start(reference, CPU)
    for batch in torch.split(samples, 300):
        metric.update(batch)
    return metric.result()


def test_fd_is_what_scipy_makes_of_the_same_features(mnist, scipy_distance):
    reference = Data(mnist.samples[:3000], "test", mnist.labels[:3000])
    generated = mnist.samples[3000:5000].flip(3)
    extract = MnistCNN.trained(CPU).features
    moments = [
        part
        for features in (extract(reference.samples).double(), extract(generated).double())
        for part in (np.mean(features.numpy(), axis=0), np.cov(features.numpy(), rowvar=False))
    ]
    found = scored(FdMnist(), reference, generated)["fd"]
    assert found == pytest.approx(scipy_distance(*moments), rel=1e-4)


def test_fd_tells_real_from_mirrored_and_from_noise(mnist):
    half, other = mnist.samples[:5000], mnist.samples[5000:]
    reference = Data(half, "test", mnist.labels[:5000])
    noise = torch.randint(0, 256, half.shape, generator=torch.Generator().manual_seed(0))
    real, mirrored, random = (
        scored(FdMnist(), reference, samples)["fd"]
        for samples in (other, other.flip(3), noise.to(torch.uint8))
    )
    assert 5 * real < mirrored < random


def test_classes_are_those_of_the_labels(mnist):
    """Without sevens KL = -log(1 - share of sevens), but for what the classifier misreads."""
    without = mnist.samples[mnist.labels != 7]
    values = scored(MnistClasses(), mnist, without)
    sevens = float((mnist.labels == 7).double().mean())
    assert values["class_kl"] == pytest.approx(-math.log(1 - sevens), rel=0.05)
    assert scored(MnistClasses(), mnist, mnist.samples) == {"class_kl": 0.0, "classes_covered": 10}


@pytest.mark.parametrize("cls", METRICS)
@pytest.mark.parametrize(
    ("data", "given"),
    [
        (Data(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), "all"), r"shape \(1, 8, 8\)"),
        (Data(torch.zeros(4, 1, 28, 28, dtype=torch.uint8), "all"), "without labels"),
        (Data(torch.zeros(4, 2), "all"), "points of shape"),
        (
            Data(torch.zeros(9, 1, 28, 28, dtype=torch.uint8), "all", torch.arange(9)),
            "hold no digits, or other labels",
        ),
    ],
    ids=["digits", "unlabelled", "points", "other"],
)
def test_other_data_are_refused_by_name(cls, data, given):
    with pytest.raises(Unsupported, match=f"(fd-mnist|mnist-classes) needs grey digits.*{given}"):
        cls().check(data)
