"""Image folders, a weights file, and pytorch-fid's own network over the same files."""

import math
from pathlib import Path

import numpy as np
import pytest
import pytorch_fid.inception
import torch
from PIL import Image
from pytorch_fid.fid_score import get_activations
from torch import Tensor

import ganbench
from ganbench_plugins.extractors.inception import CACHED_NAMES

COUNT = 52  # crosses pytorch-fid's batch of 50
FOUND = [
    path
    for name in CACHED_NAMES
    if (path := Path(torch.hub.get_dir()) / "checkpoints" / name).is_file()
]


def pictures(seed: int, contrast: float) -> Tensor:
    """Smooth colour blobs, so that the images differ in more than their noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(COUNT, 3, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (32, 32), mode="bilinear")
    return (128 + contrast * smooth).clamp(0, 255).to(torch.uint8)


def write(folder: Path, images: Tensor) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{index:03}.png" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
    return paths


def exact_distance(features1: np.ndarray, features2: np.ndarray) -> float:
    """The distance of two samples, by singular values of their overlap: sound at any rank.

    With C = A'A, where A is the centred sample over sqrt(n - 1), tr (C1 C2)^(1/2) is the sum of
    the singular values of A1 A2'. scipy's square root of C1 C2 is not to be trusted here: 52 rows
    give 2,048 features a covariance of rank 51.
    """
    a1, a2 = ((f - f.mean(0)) / math.sqrt(len(f) - 1) for f in (features1, features2))
    overlap = np.linalg.svd(a1 @ a2.T, compute_uv=False).sum()
    gap = np.square(features1.mean(0) - features2.mean(0)).sum()
    return float(gap + np.square(a1).sum() + np.square(a2).sum() - 2 * overlap)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:52 .* samples give 2048 features")
@pytest.mark.parametrize(
    "official",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                not FOUND, reason="FID's official weights are not in torch hub's cache"
            ),
        ),
    ],
)
def test_the_distance_is_that_of_pytorch_fid(
    official: bool,
    inception_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`python -m pytorch_fid` is run and compared at full size by scripts/compare_metrics.py."""
    weights = FOUND[0] if official else inception_file
    state = torch.load(weights, weights_only=True)
    monkeypatch.setattr(pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: state)
    network = pytorch_fid.inception.InceptionV3()
    folders = tmp_path / "real", tmp_path / "fake"
    files = write(folders[0], pictures(0, contrast=60)), write(folders[1], pictures(1, contrast=40))
    real, fake = (get_activations(paths, network, num_workers=0) for paths in files)
    report = ganbench.evaluate(
        fake=folders[1],
        real=folders[0],
        metrics="fid" if official else "fd",
        extractors=f"inception:weights={weights}",
        data_folder=tmp_path / "data",
        threads=1,
    )
    (name,), (value,) = report.scores["metric"], report.scores["value"]
    label = "fid[n=52,all:52,inception-2015" if official else "fd[n=52,all:52,inception-"
    assert name.startswith(label)
    assert value == pytest.approx(exact_distance(real, fake), rel=1e-3)
    features = np.concatenate([real, fake]).var(0)
    assert features.max() > 0.01  # the weights tell images apart
