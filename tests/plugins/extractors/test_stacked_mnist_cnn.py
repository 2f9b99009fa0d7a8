from pathlib import Path

import pytest
import torch

from ganbench.api import Data, Samples, Unsupported
from ganbench_plugins.datasets.mnist import Mnist
from ganbench_plugins.datasets.stacked_mnist import StackedMnist
from ganbench_plugins.extractors.mnist_cnn import MnistCNN
from ganbench_plugins.extractors.stacked_mnist_cnn import StackedMnistExtractor

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def digits(real_mnist: Path) -> list[Samples]:
    """For each digit a real one, the first of MNIST's training images."""
    mnist = Mnist().load(real_mnist)
    assert mnist.labels is not None
    return [mnist.samples[mnist.labels == digit][0, 0] for digit in range(10)]


def stacks(digits: list[Samples], *modes: int) -> Samples:
    return torch.stack([torch.stack([digits[int(c)] for c in f"{m:03}"]) for m in modes])


def test_the_largest_logit_is_at_100_r_10_g_b(digits: list[Samples]) -> None:
    modes = [0, 7, 70, 700, 123, 321, 999]
    logits = StackedMnistExtractor().load(CPU)(stacks(digits, *modes)).logits
    assert logits.shape == (7, 1000)
    assert logits.argmax(1).tolist() == modes


def test_logits_are_the_log_probabilities_of_three_independent_digits(
    digits: list[Samples],
) -> None:
    logits = StackedMnistExtractor().load(CPU)(stacks(digits, 123)).logits.double()
    assert logits.exp().sum().item() == pytest.approx(1, abs=1e-5)
    alone = MnistCNN.trained(CPU)(torch.stack([digits[d] for d in (1, 2, 3)])[:, None]).logits
    p = alone.double().softmax(1)
    expected = (p[0, 8] * p[1, 5] * p[2, 1]).log().item()
    assert logits[0, 851].item() == pytest.approx(expected, rel=1e-5)


def test_features_are_those_of_red_green_and_blue(digits: list[Samples]) -> None:
    values = StackedMnistExtractor().load(CPU)(stacks(digits, 123, 450)).values
    alone = MnistCNN.trained(CPU)(torch.stack(digits)[:, None]).values
    assert values.shape == (2, 192)
    torch.testing.assert_close(values[0], torch.cat([alone[1], alone[2], alone[3]]))
    torch.testing.assert_close(values[1], torch.cat([alone[4], alone[5], alone[0]]))


def test_labels_are_what_it_reads_with_a_margin_as_without(real_mnist: Path) -> None:
    extractor = StackedMnistExtractor()
    seen = []
    for side in (28, 32):
        data = StackedMnist(size=1000, side=side).load(real_mnist)
        extractor.check(data)
        seen.append(extractor.load(CPU)(data.samples))
        read = seen[-1].logits.argmax(1)
        assert (read == data.labels).double().mean() > 0.97
    assert torch.equal(seen[0].values, seen[1].values)
    assert torch.equal(seen[0].logits, seen[1].logits)
    assert extractor.settings == ("stacked-mnist-cnn", "uint8")


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
        Unsupported,
        match=r"stacked-mnist-cnn needs .* as the data set 'stacked-mnist' has.*" + given,
    ):
        StackedMnistExtractor().check(data)
