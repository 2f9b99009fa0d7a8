from pathlib import Path

import pytest
import torch

from ganbench.api import Data, NotPrepared
from ganbench_plugins.datasets.mnist import Mnist
from ganbench_plugins.datasets.stacked_mnist import StackedMnist

NOWHERE = Path("/nonexistent")


@pytest.fixture
def telling(monkeypatch) -> None:
    """In place of MNIST: of each digit one image, whose pixels are all the digit plus one."""
    digits = torch.arange(10)
    images = (digits + 1).to(torch.uint8)[:, None, None, None].expand(10, 1, 28, 28).contiguous()
    monkeypatch.setattr(Mnist, "load", lambda self, _: Data(images, self.split, digits))


@pytest.mark.usefixtures("telling")
def test_a_label_reads_red_green_blue():
    data = StackedMnist(size=5000).load(NOWHERE)
    assert data.samples.shape == (5000, 3, 28, 28)
    assert data.samples.dtype == torch.uint8
    assert data.samples.is_contiguous()
    assert data.split == "train"
    assert data.labels is not None
    assert data.labels.dtype == torch.int64
    red, green, blue = (data.samples[:, :, 13, 17].long() - 1).unbind(1)
    assert data.labels.tolist() == (100 * red + 10 * green + blue).tolist()
    # 5,000 draws of 1,000 equal modes miss 1000 exp(-5) = 6.7 of them, give or take 2.6.
    assert 980 < data.labels.unique().numel() < 1000


@pytest.mark.usefixtures("telling")
def test_side_32_is_padded_by_two_black_pixels():
    bare, padded = (StackedMnist(size=50, side=side).load(NOWHERE) for side in (28, 32))
    assert padded.samples.shape == (50, 3, 32, 32)
    assert torch.equal(padded.samples[:, :, 2:30, 2:30], bare.samples)
    assert padded.samples.sum() == bare.samples.sum()
    assert torch.equal(padded.labels, bare.labels)


@pytest.mark.usefixtures("telling")
def test_every_load_draws_the_same_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    first, second = StackedMnist(size=100).load(NOWHERE), StackedMnist(size=100).load(NOWHERE)
    assert first.fingerprint() == second.fingerprint()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_split_is_mnists(real_mnist):
    assert StackedMnist("test", size=10).load(real_mnist).split == "test"
    mnist = Mnist("test").load(real_mnist)
    channels = StackedMnist("test", size=10).load(real_mnist).samples.flatten(0, 1)
    originals = {image.numpy().tobytes() for image in mnist.samples}
    assert all(channel.numpy().tobytes() in originals for channel in channels)


def test_real_data_hold_all_1000_modes(real_mnist):
    data = StackedMnist().load(real_mnist)
    assert data.samples.shape == (128_000, 3, 28, 28)
    assert data.labels is not None
    assert data.labels[:5].tolist() == [995, 441, 145, 207, 589]
    assert torch.bincount(data.labels, minlength=1000).min() > 50
    # Channels are independent: each has MNIST's shares of the digits, 6,742 ones of 60,000.
    for place in (100, 10, 1):
        assert (data.labels // place % 10 == 1).double().mean() == pytest.approx(
            6742 / 60_000, abs=0.005
        )


def test_mnists_files_are_shared(real_mnist, monkeypatch):
    monkeypatch.setattr(Mnist, "_fetch", lambda *_: pytest.fail("fetched"))
    StackedMnist().prepare(real_mnist)


def test_nothing_there(tmp_path):
    with pytest.raises(NotPrepared) as caught:
        StackedMnist().load(tmp_path)
    assert str(caught.value) == f"there is no train-images-idx3-ubyte in {tmp_path}/MNIST/raw"
