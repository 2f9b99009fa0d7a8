import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench.api import BadInput, Data, Samples, Unsupported
from ganbench_plugins.datasets.mnist import Mnist
from ganbench_plugins.datasets.stacked_mnist import StackedMnist
from ganbench_plugins.metrics.stacked_modes import StackedModes

CPU = torch.device("cpu")
COUNT = 26_000


@pytest.fixture(scope="module")
def digits(real_mnist: Path) -> list[Samples]:
    """For each digit a real one, the first of MNIST's training images."""
    mnist = Mnist().load(real_mnist)
    assert mnist.labels is not None
    return [mnist.samples[mnist.labels == digit][0, 0] for digit in range(10)]


@pytest.fixture(scope="module")
def real(real_mnist: Path) -> Data:
    return StackedMnist(size=COUNT).load(real_mnist)


@pytest.fixture(scope="module")
def metric(real: Data) -> StackedModes:
    return started(real)


def started(reference: Data) -> StackedModes:
    metric = StackedModes()
    metric.check(reference)
    metric.start(reference, CPU)
    return metric


def stacks(digits: list[Samples], *modes: int) -> Samples:
    return torch.stack([torch.stack([digits[int(c)] for c in f"{m:03}"]) for m in modes])


def kl(generated: Tensor, real: Tensor) -> float:
    """KL(generated || real) of the two samples of labels, in numpy."""
    p, q = (np.bincount(labels, minlength=1000) / len(labels) for labels in (generated, real))
    return float(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a))


def test_settings_and_headline() -> None:
    assert StackedModes().settings == ("mnist-cnn", "uint8")
    assert list(StackedModes.directions.items()) == [
        ("modes_covered", "higher"),
        ("mode_kl", "lower"),
    ]


def test_by_hand(digits: list[Samples]) -> None:
    labels = torch.tensor([123, 123, 456, 7])
    metric = started(Data(stacks(digits, 123, 123, 456, 7), "train", labels))
    for mode in (123, 7, 7, 7):
        metric.update(stacks(digits, mode))
    # p_g = 1/4 on 123 and 3/4 on 007, of which p_r has 1/2 and 1/4.
    expected = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.25)
    assert metric.result() == {"modes_covered": 2, "mode_kl": pytest.approx(expected)}


def test_the_order_of_the_channels_counts(digits: list[Samples]) -> None:
    labels = torch.tensor([123, 321])
    metric = started(Data(stacks(digits, 123, 321), "train", labels))
    metric.update(stacks(digits, 123))
    assert metric.result() == {"modes_covered": 1, "mode_kl": pytest.approx(math.log(2))}


def test_a_mode_that_the_reference_lacks_is_infinitely_far(digits: list[Samples]) -> None:
    metric = started(Data(stacks(digits, 123), "train", torch.tensor([123])))
    metric.update(stacks(digits, 123, 124))
    assert metric.result() == {"modes_covered": 2, "mode_kl": math.inf}


def test_labels_are_what_the_classifier_reads(metric: StackedModes, real: Data) -> None:
    named = torch.cat([metric.namer(CPU)(batch) for batch in real.samples[:5000].split(500)])
    assert (named == real.labels[:5000]).double().mean() > 0.97


def test_real_images_cover_all_modes(metric: StackedModes, real: Data, real_mnist: Path) -> None:
    fresh = StackedMnist("test", size=COUNT).load(real_mnist)
    for batch in fresh.samples.split(1024):
        metric.update(batch)
    result = metric.result()
    assert result["modes_covered"] == 1000
    # By their true labels, and of about 999 / (2 N) for each of the two samples.
    assert result["mode_kl"] == pytest.approx(kl(fresh.labels, real.labels), rel=0.1)
    assert result["mode_kl"] == pytest.approx(999 / COUNT, rel=0.25)


def test_a_collapsed_generator_covers_one_mode(metric: StackedModes, digits: list[Samples]) -> None:
    for _ in range(3):
        metric.update(stacks(digits, 555).repeat(1000, 1, 1, 1))
    result = metric.result()
    assert result["modes_covered"] == 1
    # 5s are 5,421 of 60,000: -log of that, cubed.
    assert result["mode_kl"] == pytest.approx(-3 * math.log(5421 / 60_000), abs=0.5)


def test_padded_images_score_as_bare_ones(real_mnist: Path) -> None:
    results = []
    for side in (28, 32):
        data = StackedMnist(size=2000, side=side).load(real_mnist)
        metric = started(data)
        metric.update(data.samples[:500])
        results.append(metric.result())
    assert results[0] == results[1]
    assert results[0]["mode_kl"] > 0


def test_result_starts_anew_and_needs_samples(metric: StackedModes, digits: list[Samples]) -> None:
    metric.update(stacks(digits, 1))
    assert list(metric.result()) == list(metric.directions)
    with pytest.raises(BadInput, match="stacked-modes needs at least one generated image"):
        metric.result()


def images(*shape: int) -> Samples:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("data", "given"),
    [
        (Data(torch.zeros(2, 2), "all"), r"points of shape \(2,\)"),
        (Data(images(2, 1, 28, 28), "all"), r"images of shape \(1, 28, 28\)"),
        (Data(images(2, 3, 64, 64), "all"), r"images of shape \(3, 64, 64\)"),
        (Data(images(2, 3, 28, 28), "all"), "images without labels"),
        (
            Data(images(100, 3, 32, 32), "train", torch.arange(100) % 10),
            "images that hold no digits",
        ),
    ],
    ids=["points", "grey", "large", "no-labels", "cifar"],
)
def test_other_data_are_refused(data: Data, given: str) -> None:
    with pytest.raises(
        Unsupported, match=r"stacked-modes needs .* as the data set 'stacked-mnist' has.*" + given
    ):
        StackedModes().check(data)
