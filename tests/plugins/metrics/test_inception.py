import os
from pathlib import Path

import pytest
import pytorch_fid.inception
import torch
from torch import Tensor

from ganbench.api import BadInput
from ganbench_plugins.metrics.inception import InceptionFeatures, WeightsFile, load_inception


@pytest.fixture(scope="module")
def reference_network(inception_state: dict[str, Tensor]) -> torch.nn.Module:
    """pytorch-fid's own network, with the test's weights in place of its download."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: inception_state
        )
        return pytorch_fid.inception.InceptionV3().eval()


@pytest.fixture(scope="module")
def features(inception_file: Path) -> InceptionFeatures:
    return InceptionFeatures(WeightsFile.read(inception_file))


def noise(channels: int, side: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, channels, side, side), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("side", [32, 299, 320])
def test_features_are_pytorch_fids(
    features: InceptionFeatures, reference_network: torch.nn.Module, side: int
) -> None:
    images = noise(3, side)
    theirs = reference_network(images / 255)[0][:, :, 0, 0]
    assert theirs.std() > 0.01
    torch.testing.assert_close(features(images), theirs, rtol=1e-4, atol=1e-5)


def test_grey_images_are_repeated(features: InceptionFeatures) -> None:
    grey = noise(1, 8)
    torch.testing.assert_close(features(grey), features(grey.repeat(1, 3, 1, 1)))


def test_loading_draws_nothing_from_the_global_generator(inception_file: Path) -> None:
    before = torch.random.get_rng_state()
    load_inception(WeightsFile.read(inception_file))
    assert torch.equal(before, torch.random.get_rng_state())


def test_double_weights_are_used_as_floats(
    inception_state: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "double.pth"
    torch.save({name: value.double() for name, value in inception_state.items()}, path)
    network = load_inception(WeightsFile.read(path))
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}


def loading(path: Path, content: object) -> str:
    """What is said of a file with this content: bytes, or what torch.save writes."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(BadInput) as raised:
        load_inception(WeightsFile.read(path))
    assert str(path) in str(raised.value)
    assert "weights_only=False" not in str(raised.value)
    return str(raised.value)


class Hostile:
    """A pickle that runs a command when it is read by an unrestricted loader."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.canary}",)


def test_a_hostile_file_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    said = loading(tmp_path / "hostile.pth", {"fc.bias": Hostile(canary)})
    assert "is not a readable file of weights" in said
    assert not canary.exists()


def test_a_truncated_file_is_refused(inception_file: Path, tmp_path: Path) -> None:
    said = loading(tmp_path / "half.pth", inception_file.read_bytes()[: 40 * 2**20])
    assert "it is truncated, or holds more than the tensors" in said


@pytest.mark.parametrize(
    "content", [b"", b"<html>Not Found</html>", b"\x80\x02garbage", b"PK\x03\x04"]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "is not a readable file of weights" in loading(tmp_path / "page.pth", content)


@pytest.mark.parametrize("content", [[1, 2], {"fc.bias": 3}, torch.zeros(3)])
def test_a_file_without_named_tensors_is_refused(tmp_path: Path, content: object) -> None:
    assert "does not hold tensors by name" in loading(tmp_path / "list.pth", content)


def test_another_networks_weights_are_refused(
    inception_state: dict[str, Tensor], tmp_path: Path
) -> None:
    said = loading(tmp_path / "linear.pth", torch.nn.Linear(2, 2).state_dict())
    assert "holds another network than FID's Inception" in said
    assert "Missing key(s)" in said
    reshaped = inception_state | {"fc.bias": torch.zeros(1000)}
    assert "size mismatch for fc.bias" in loading(tmp_path / "imagenet.pth", reshaped)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"can't read the weights .*none\.pth: No such file"):
        WeightsFile.read(tmp_path / "none.pth")
    with pytest.raises(BadInput, match=r"can't read the weights .*: Is a directory"):
        WeightsFile.read(tmp_path)
