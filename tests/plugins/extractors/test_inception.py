import hashlib
from copy import deepcopy
from pathlib import Path

import pytest
import pytorch_fid.inception
import torch
from torch import Tensor, nn

from ganbench.api import BadInput, Data, Network, NotPrepared, Unsupported
from ganbench_plugins.extractors import inception, inception_network
from ganbench_plugins.extractors.inception import Inception

CPU = torch.device("cpu")
IMAGES = Data(torch.zeros(2, 3, 32, 32, dtype=torch.uint8), "test")


@pytest.fixture(scope="module")
def pytorch_fids(inception_state: dict[str, Tensor]) -> nn.Module:
    """pytorch-fid's own network, with the test's weights in place of its download."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: inception_state
        )
        return pytorch_fid.inception.InceptionV3().eval()


@pytest.fixture(scope="module")
def network(inception_file: Path) -> Network:
    return loaded(inception_file)


def loaded(file: Path) -> Network:
    extractor = Inception(weights=str(file))
    extractor.check(IMAGES)
    return extractor.load(CPU)


def noise(channels: int, side: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, channels, side, side), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(("channels", "side"), [(3, 32), (1, 28), (3, 320)])
@torch.no_grad()
def test_features_are_pytorch_fids(
    network: Network, pytorch_fids: nn.Module, channels: int, side: int
) -> None:
    images = noise(channels, side)
    theirs = pytorch_fids(images.expand(-1, 3, -1, -1) / 255)[0][:, :, 0, 0]
    ours = network(images).values
    assert ours.shape == (2, 2048)
    assert theirs.std() > 0.1
    assert (ours - theirs).norm() < 1e-5 * theirs.norm()
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_rounding_is_no_worse_than_pytorch_fids(network: Network, pytorch_fids: nn.Module) -> None:
    images = noise(3, 32)[:1]
    exact = deepcopy(pytorch_fids).double()(images.double() / 255)[0][:, :, 0, 0]
    ours, theirs = (
        (features - exact).norm() / exact.norm()
        for features in (network(images).values, pytorch_fids(images / 255)[0][:, :, 0, 0])
    )
    assert ours < 1e-6
    assert ours < 4 * theirs


def test_logits_leave_out_the_last_bias(
    network: Network, inception_state: dict[str, Tensor]
) -> None:
    values, logits = network(noise(3, 32))
    assert logits.shape == (2, 1008)
    expected = values.double() @ inception_state["fc.weight"].double().T
    torch.testing.assert_close(logits, expected.float(), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_network_is_torch_fidelitys_too(network: nn.Module, inception_file: Path) -> None:
    """On its own resize and scale, which are others: (x - 128) / 128, and none of 299x299."""
    extractors = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    names = ["2048", "logits_unbiased"]
    theirs = extractors.FeatureExtractorInceptionV3(
        "inception-v3-compat", names, feature_extractor_weights_path=str(inception_file)
    )
    images = noise(3, 299)[:1]
    values = network.trunk(network.stem((images.float() - 128) / 128))
    for ours, expected in zip((values, network.classifier(values)), theirs(images), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def test_grey_images_are_repeated(network: Network) -> None:
    grey = noise(1, 8)[:1]
    torch.testing.assert_close(network(grey).values, network(grey.repeat(1, 3, 1, 1)).values)


def test_a_batch_goes_through_a_cpu_in_pieces(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = network(noise(3, 8))
    monkeypatch.setattr(inception_network, "_PIECE", 1)
    torch.testing.assert_close(network(noise(3, 8)), whole, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(whole.values[0], whole.values[1], rtol=1e-2)


def test_double_weights_are_used_as_floats(
    inception_state: dict[str, Tensor], tmp_path: Path, network: Network
) -> None:
    path = tmp_path / "double.pth"
    torch.save({name: value.double() for name, value in inception_state.items()}, path)
    expected = network.state_dict()
    for name, value in loaded(path).state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, expected[name])


def test_loading_draws_nothing_and_keeps_no_graph(inception_file: Path) -> None:
    before = torch.random.get_rng_state()
    network = loaded(inception_file)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(module.training for module in network.modules())


def test_other_weights_are_named_by_their_digest(inception_file: Path) -> None:
    extractor = Inception(weights=str(inception_file))
    extractor.check(IMAGES)
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    assert extractor.digest == digest
    assert extractor.weights_path == inception_file
    assert extractor.settings == (f"inception-{digest[:8]}", "bilinear", "uint8")


def test_another_networks_weights_are_refused(
    inception_state: dict[str, Tensor], tmp_path: Path
) -> None:
    def message(state: dict[str, Tensor]) -> str:
        torch.save(state, tmp_path / "other.pth")
        with pytest.raises(BadInput) as raised:
            loaded(tmp_path / "other.pth")
        return str(raised.value)

    said = message(nn.Linear(2, 2).state_dict())
    assert "other.pth holds another network than FID's Inception" in said
    assert "Missing key(s)" in said
    assert "size mismatch for fc.bias" in message(inception_state | {"fc.bias": torch.zeros(1000)})


@pytest.mark.parametrize(
    ("samples", "given"),
    [
        (torch.zeros(2, 4, 8, 8, dtype=torch.uint8), "images of shape (4, 8, 8)"),
        (torch.zeros(2, 2), "points of shape (2,)"),
    ],
)
def test_other_data_are_refused(samples: Tensor, given: str) -> None:
    with pytest.raises(Unsupported) as raised:
        Inception().check(Data(samples, "all"))
    assert str(raised.value) == f"inception needs images with 1 or 3 channels; it was given {given}"


# The official weights, in torch hub's cache.


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch hub's cache, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def official(inception_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that takes the part of the official one."""
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "SHA256", digest)
    monkeypatch.setattr(inception, "URL", inception_file.as_uri())
    return inception_file


def test_without_weights_it_says_what_to_do(cache: Path) -> None:
    with pytest.raises(NotPrepared) as raised:
        Inception().check(IMAGES)
    said = str(raised.value)
    assert f"not in {cache}" in said
    assert "ganbench prepare inception" in said
    assert "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/" in said
    assert "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2" in said
    assert "95,628,359 bytes" in said
    assert "--extractors inception:weights=FILE" in said
    assert not cache.exists()


@pytest.mark.parametrize("name", inception.CACHED_NAMES)
def test_the_official_file_is_found_in_the_cache(cache: Path, official: Path, name: str) -> None:
    cache.mkdir(parents=True)
    (cache / name).symlink_to(official)
    assert Inception().weights_path == cache / name
    Inception().prepare()
    assert [path.name for path in cache.iterdir()] == [name]


@pytest.mark.parametrize("name", inception.CACHED_NAMES)
def test_a_broken_download_in_the_cache_is_named(cache: Path, name: str) -> None:
    cache.mkdir(parents=True)
    (cache / name).write_bytes(b"half")
    Inception().prepare()
    with pytest.raises(BadInput, match="is another file than it should be") as raised:
        Inception().check(IMAGES)
    assert str(cache / name) in str(raised.value)


def test_preparing_fetches_the_file_once(
    cache: Path, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Inception().prepare()
    assert [path.name for path in cache.iterdir()] == [inception.CACHED_NAMES[0]]
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)
    Inception().prepare()
    extractor = Inception()
    extractor.check(IMAGES)
    assert extractor.settings == ("inception-2015", "bilinear", "uint8")


def test_a_wrong_download_leaves_nothing(
    cache: Path, official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_bytes(b"<html>")
    monkeypatch.setattr(inception, "URL", (tmp_path / "page.html").as_uri())
    with pytest.raises(
        NotPrepared, match=r"could not be fetched from file:.*\n.*invalid hash value"
    ):
        Inception().prepare()
    assert list(cache.iterdir()) == []


def test_nothing_is_fetched_for_weights_of_ones_own(
    cache: Path, official: Path, tmp_path: Path
) -> None:
    mine = Inception(weights=str(tmp_path / "none.pth"))
    mine.prepare()
    with pytest.raises(BadInput, match="No such file"):
        mine.check(IMAGES)
    assert not cache.exists()
