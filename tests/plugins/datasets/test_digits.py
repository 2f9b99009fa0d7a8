import torch
from sklearn.datasets import load_digits

from ganbench_plugins.datasets.digits import Digits


def test_every_digit_as_scikit_learn_has_it(tmp_path):
    data = Digits().load(tmp_path)
    original = load_digits()
    assert data.samples.shape == (1797, 1, 8, 8)
    assert data.samples.dtype == torch.uint8
    assert data.split == "all"
    assert data.labels is not None
    assert data.labels.dtype == torch.int64
    assert data.labels.tolist() == original.target.tolist()
    # 255 / 16 = 15.9375; only 8 (127.5) lies half way, and goes up.
    scaled = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    expected = [[[scaled[int(ink)] for ink in row] for row in image] for image in original.images]
    assert data.samples.squeeze(1).tolist() == expected


def test_nothing_is_fetched_or_written(tmp_path):
    Digits().prepare(tmp_path)
    Digits().load(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_loads_are_equal(tmp_path):
    assert Digits().load(tmp_path).fingerprint() == Digits().load(tmp_path).fingerprint()
