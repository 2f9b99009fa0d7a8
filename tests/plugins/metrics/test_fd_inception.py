"""The whole distance on Inception's architecture, against pytorch-fid's own run over PNG files."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import pytorch_fid.inception
import torch
from PIL import Image
from pytorch_fid.fid_score import get_activations
from torch import Tensor

from ganbench.api import BadInput, Data, Unsupported
from ganbench_plugins.metrics.fd_inception import FdInception
from ganbench_plugins.metrics.frechet import frechet_distance

CPU = torch.device("cpu")
COUNT = 52  # crosses pytorch-fid's batch of 50


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


def started(file: Path, reference: Data) -> FdInception:
    metric = FdInception(weights=str(file))
    metric.check(reference)
    metric.start(reference, CPU)
    return metric


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
def test_moments_and_distance_are_those_of_pytorch_fid(
    inception_file: Path,
    inception_state: dict[str, Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scipy_distance,
) -> None:
    monkeypatch.setattr(
        pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: inception_state
    )
    network = pytorch_fid.inception.InceptionV3()
    real, generated = pictures(0, contrast=60), pictures(1, contrast=40)
    folders = write(tmp_path / "real", real), write(tmp_path / "generated", generated)
    theirs = [get_activations(files, network, num_workers=0) for files in folders]

    metric = started(inception_file, Data(real, "test"))
    for batch in torch.split(generated, 20):
        metric.update(batch)
    for batch in metric._batches.rest():
        metric._gather(batch, metric._generated)
    ours = metric._reference, metric._generated
    for moments, features in zip(ours, theirs, strict=True):
        covariance = np.cov(features, rowvar=False)
        tolerance = 1e-5 * np.abs(covariance).max()
        np.testing.assert_allclose(moments.mean, features.mean(0), rtol=1e-4)
        np.testing.assert_allclose(moments.covariance, covariance, rtol=1e-4, atol=tolerance)

    # The 16 liveliest features have covariances of full rank: there scipy's root is sound.
    few = theirs[0].var(0).argsort()[-16:].tolist()
    subset = [part for m in ours for part in (m.mean[few], m.covariance[few][:, few])]
    few_theirs = [p for f in theirs for p in (f[:, few].mean(0), np.cov(f[:, few], rowvar=False))]
    assert frechet_distance(*subset) == pytest.approx(scipy_distance(*few_theirs), rel=1e-3)
    assert metric.result()["fd"] == pytest.approx(exact_distance(*theirs), rel=1e-3)


def test_the_weights_are_named_by_their_digest(inception_file: Path) -> None:
    metric = FdInception(weights=str(inception_file))
    metric.check(Data(pictures(0, contrast=60), "test"))
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    assert metric.settings == (f"inception-{digest[:8]}", "bilinear", "uint8")
    assert metric.directions == {"fd": "lower"}


def test_without_a_file_it_says_how_to_name_one() -> None:
    with pytest.raises(BadInput, match="--metrics fd-inception:weights=FILE"):
        FdInception().check(Data(pictures(0, contrast=60), "test"))


def test_points_are_refused() -> None:
    with pytest.raises(Unsupported, match="fd-inception needs images with 1 or 3 channels; it was"):
        FdInception(weights="any").check(Data(torch.zeros(2, 2), "all"))
