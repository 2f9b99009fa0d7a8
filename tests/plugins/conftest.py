"""Real digits, and an Inception network with weights of no one's training."""

import math
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from ganbench.data import Data
from ganbench_plugins.extractors.inception_network import empty_inception


@pytest.fixture(scope="session")
def digits() -> Data:
    bunch = load_digits()
    images = torch.from_numpy(bunch.images * (255 / 16) + 0.5).to(torch.uint8)[:, None]
    return Data(images, "all", torch.from_numpy(bunch.target).long())


@pytest.fixture(scope="session")
def inception_state() -> dict[str, Tensor]:
    """Seeded weights for FID's architecture, scaled so that activations neither die nor grow."""
    generator = torch.Generator().manual_seed(0)

    def normal(shape: torch.Size, mean: float, std: float) -> Tensor:
        return mean + std * torch.randn(shape, generator=generator)

    def fill(name: str, empty: Tensor) -> Tensor:
        if name.endswith("num_batches_tracked"):
            return torch.tensor(0)
        if empty.dim() > 1:
            return normal(empty.shape, 0.0, math.sqrt(2 / empty[0].numel()))
        if name.endswith(("running_var", "bn.weight")):
            return normal(empty.shape, 1.0, 0.1).abs()
        return normal(empty.shape, 0.0, 0.1)

    return {name: fill(name, empty) for name, empty in empty_inception().state_dict().items()}


@pytest.fixture(scope="session")
def inception_file(
    inception_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("inception") / "random.pth"
    torch.save(inception_state, path)
    return path
