"""DINOv2's extractor, on a hub repository that is made here: the real one is not to be had."""

import hashlib
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ganbench.api import BadInput, Data, NotPrepared, Unsupported
from ganbench_plugins.extractors import dinov2
from ganbench_plugins.extractors.dinov2 import DinoV2

pytest.importorskip("torch_fidelity")

CPU = torch.device("cpu")
HUBCONF = """
import os
import torch
from torch import nn

dependencies = ["torch"]

def dinov2_vits14(pretrained=True):
    assert os.environ["XFORMERS_DISABLED"] == "1"
    network = nn.Sequential(nn.Conv2d(3, 8, 14, 14), nn.GELU(), nn.Flatten(), nn.LazyLinear(384))
    network(torch.zeros(1, 3, 224, 224))
    if pretrained:
        path = os.path.join(torch.hub.get_dir(), "checkpoints", "dinov2_vits14_pretrain.pth")
        network.load_state_dict(torch.load(path, weights_only=True))
    return network
"""


def pictures(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


IMAGES = Data(pictures(2, 3, 32, 32), "all")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty torch hub, and no way to GitHub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr(torch.hub, "_get_cache_or_reload", refuse)
    return tmp_path / "hub"


def refuse(*args: object, **fields: object) -> None:
    raise OSError("there is no network here")


@pytest.fixture
def filled(hub: Path) -> Path:
    """A hub with a tiny network in place of DINOv2's smallest."""
    code = hub / "facebookresearch_dinov2_main"
    code.mkdir(parents=True)
    (code / "hubconf.py").write_text(HUBCONF)
    generator = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (8, 3, 14, 14), "0.bias": (8,), "3.weight": (384, 2048), "3.bias": (384,)}
    state = {n: 0.1 * torch.randn(shape, generator=generator) for n, shape in shapes.items()}
    (hub / "checkpoints").mkdir()
    torch.save(state, weights_in(hub))
    return hub


def weights_in(hub: Path) -> Path:
    return hub / "checkpoints" / "dinov2_vits14_pretrain.pth"


@pytest.mark.parametrize("shape", [(3, 3, 32, 32), (2, 3, 300, 250), (3, 1, 28, 28)])
def test_features_are_torch_fidelitys(
    filled: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

    images = pictures(*shape)
    extractor = DinoV2(size="s")
    extractor.check(Data(images, "all"))
    ours = extractor.load(CPU)(images)

    def local(repository: str, name: str) -> nn.Module:
        assert repository == "facebookresearch/dinov2"
        return load(str(filled / "facebookresearch_dinov2_main"), name, source="local")

    load = torch.hub.load
    monkeypatch.setattr(torch.hub, "load", local)
    theirs = FeatureExtractorDinoV2("dinov2-vit-s-14", ["dinov2"])
    (expected,) = theirs(images.expand(-1, 3, -1, -1))
    assert ours.values.shape == (shape[0], 384)
    assert expected.std() > 0.1
    assert torch.equal(ours.values, expected)
    assert ours.logits is None


def test_features_are_named_by_their_weights(filled: Path) -> None:
    extractor = DinoV2(size="s")
    extractor.check(IMAGES)
    digest = hashlib.sha256(weights_in(filled).read_bytes()).hexdigest()
    assert extractor.settings == (f"dinov2-vit-s-14-{digest[:8]}", "bilinear-tf1", "uint8")


def test_making_it_draws_nothing_from_the_global_generator(filled: Path) -> None:
    before = torch.random.get_rng_state()
    DinoV2(size="s").check(IMAGES)
    assert torch.equal(before, torch.random.get_rng_state())


def test_nothing_is_fetched_unless_one_prepares(hub: Path, filled: Path) -> None:
    weights_in(hub).unlink()
    with pytest.raises(NotPrepared) as raised:
        DinoV2(size="s").check(IMAGES)
    assert str(weights_in(hub)) in str(raised.value)
    assert "ganbench prepare dinov2:size=s" in str(raised.value)


def test_the_code_is_needed_too(hub: Path) -> None:
    with pytest.raises(NotPrepared, match="facebookresearch_dinov2_main"):
        DinoV2().check(IMAGES)
    assert not hub.exists()


def test_without_torch_fidelity_it_says_how_to_install_it(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity.interpolate_compat_tensorflow", None)
    with pytest.raises(NotPrepared, match=r"pip install 'ganbench\[dinov2\]'"):
        DinoV2(size="s").check(IMAGES)


def test_preparing_fetches_code_and_weights(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, kept = filled / "facebookresearch_dinov2_main", tmp_path / "kept"
    code.rename(kept)
    content = weights_in(filled).read_bytes()
    weights_in(filled).unlink()

    def fetch_code(repository: str, trust_repo: bool) -> None:
        assert (repository, trust_repo) == ("facebookresearch/dinov2:main", True)
        kept.rename(code)

    def fetch_weights(url: str, path: str) -> None:
        base = "https://dl.fbaipublicfiles.com/dinov2"
        assert url == f"{base}/dinov2_vits14/dinov2_vits14_pretrain.pth"
        Path(path).write_bytes(content)

    monkeypatch.setattr(torch.hub, "list", fetch_code)
    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch_weights)
    DinoV2(size="s").prepare()
    DinoV2(size="s").check(IMAGES)
    monkeypatch.setattr(torch.hub, "list", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    DinoV2(size="s").prepare()


def test_preparing_without_a_network_says_so(
    hub: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights_in(hub).unlink()
    with pytest.raises(NotPrepared, match="there is no network here"):
        DinoV2(size="s").prepare()
    assert not weights_in(hub).exists()
    monkeypatch.setattr(dinov2, "_code", lambda: hub / "elsewhere")
    with pytest.raises(NotPrepared, match="DINOv2's code could not be fetched"):
        DinoV2(size="s").prepare()


def test_broken_and_other_weights_are_refused(filled: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), weights_in(filled))
    with pytest.raises(BadInput, match="holds another network than DINOv2's ViT-s/14"):
        DinoV2(size="s").check(IMAGES)
    weights_in(filled).write_bytes(b"half")
    with pytest.raises(BadInput, match="is not a readable file of weights"):
        DinoV2(size="s").check(IMAGES)


@pytest.mark.parametrize("samples", [torch.zeros(2, 2), pictures(2, 4, 8, 8)])
def test_other_data_are_refused(samples: Tensor) -> None:
    with pytest.raises(Unsupported, match="dinov2 needs images with 1 or 3 channels"):
        DinoV2().check(Data(samples, "all"))
