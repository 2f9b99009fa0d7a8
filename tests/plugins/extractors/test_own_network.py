"""`torchscript` and `module`: networks that a user brings along."""

import hashlib
import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor, nn

from ganbench.api import BadInput, Data, Features, Unsupported
from ganbench_plugins.extractors.module import Module
from ganbench_plugins.extractors.own_network import OwnNetwork
from ganbench_plugins.extractors.torchscript import TorchScript

CPU = torch.device("cpu")
PACKAGE = '''
import torch
from torch import nn

class Pixels(nn.Module):
    """Returns its inputs, so that a test sees them."""
    def forward(self, images):
        return images.flatten(1)

class Maps(nn.Module):
    def forward(self, images):
        return torch.stack([images.sum(1), 2 * images.sum(1)], 1)

class Centred(nn.Module):
    def forward(self, images):
        values = images.flatten(1)
        return values - values.mean(0)

class Divided(nn.Module):
    def forward(self, images):
        return images.flatten(1) / 0

class Pair(nn.Module):
    def forward(self, images):
        return images, images

class Few(nn.Module):
    def forward(self, images):
        return images.flatten(1)[:1]

class Linear(nn.Linear):
    def __init__(self):
        super().__init__(3 * 4 * 4, 5)
    def forward(self, images):
        return super().forward(images.flatten(1))

class Needy(nn.Module):
    def __init__(self, width):
        super().__init__()

def dropping():
    return nn.Sequential(Linear(), nn.Dropout())

def nothing():
    return 3

instance = Linear()
'''


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"own_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"
    (tmp_path / f"{name}.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def pictures(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def seen(extractor: OwnNetwork, images: Tensor) -> Features:
    extractor.check(Data(images, "all"))
    return extractor.load(CPU)(images)


def refused(extractor: OwnNetwork, images: Tensor) -> str:
    with pytest.raises(BadInput) as raised:
        extractor.check(Data(images, "all"))
    return str(raised.value)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A TorchScript file with a network of 5 features."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 5)).eval()
    path = tmp_path / "network.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(str(path))
    return path


# How images become inputs, and outputs features.


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("0..1", [[0.0, 1.0], [0.2, 0.4], [0.6, 0.8]]),
        ("-1..1", [[-1.0, 1.0], [-0.6, -0.2], [0.2, 0.6]]),
        (
            "imagenet",
            [
                [-0.485 / 0.229, 0.515 / 0.229],
                [-0.256 / 0.224, -0.056 / 0.224],
                [0.194 / 0.225, 0.394 / 0.225],
            ],
        ),
    ],
)
def test_the_range_of_the_inputs(package: str, inputs: str, expected: list[list[float]]) -> None:
    images = torch.tensor([0, 255, 51, 102, 153, 204], dtype=torch.uint8).view(1, 3, 1, 2)
    extractor = Module(name=f"{package}.Pixels", inputs=inputs)
    features = seen(extractor, images)
    torch.testing.assert_close(features.values, torch.tensor(expected).view(1, 6))
    assert features.logits is None
    assert inputs in extractor.settings


def test_grey_is_repeated_for_imagenet_alone(package: str) -> None:
    grey = pictures(2, 1, 4, 4)
    assert seen(Module(name=f"{package}.Pixels"), grey).values.shape == (2, 16)
    assert seen(Module(name=f"{package}.Pixels", inputs="imagenet"), grey).values.shape == (2, 48)


@pytest.mark.parametrize("size", [8, 3])
def test_resizing_is_pillows_bilinear_one(package: str, size: int) -> None:
    """Pillow's widens its filter when it makes images smaller: antialiasing."""
    images = pictures(1, 1, 5, 5)
    extractor = Module(name=f"{package}.Pixels", size=size)
    values = seen(extractor, images).values.view(size, size)
    theirs = Image.fromarray(images[0, 0].float().numpy()).resize((size, size), Image.BILINEAR)
    expected = torch.tensor(list(theirs.get_flattened_data())).view(size, size) / 255
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-4)
    assert extractor.settings[1:] == (f"bilinear-antialiased-{size}", "0..1", "uint8")


def test_maps_are_averaged_over_space(package: str) -> None:
    images = pictures(2, 3, 4, 4)
    sums = images.double().sum(1).mean((1, 2)) / 255
    expected = torch.stack([sums, 2 * sums], 1).float()
    torch.testing.assert_close(seen(Module(name=f"{package}.Maps"), images).values, expected)


def test_random_layers_are_at_rest(package: str) -> None:
    values = seen(Module(name=f"{package}.dropping"), pictures(9, 3, 4, 4)).values
    assert (values != 0).all()


# What is refused.


def test_points_are_refused(package: str, script: Path) -> None:
    points = Data(torch.zeros(4, 2), "all")
    with pytest.raises(Unsupported, match=r"module needs images; .* points of shape \(2,\)"):
        Module(name=f"{package}.Pixels").check(points)
    with pytest.raises(Unsupported, match="torchscript needs images"):
        TorchScript(path=str(script)).check(points)


def test_imagenet_needs_grey_or_colour(package: str) -> None:
    with pytest.raises(Unsupported, match="inputs=imagenet needs images with 1 or 3 channels"):
        Module(name=f"{package}.Pixels", inputs="imagenet").check(Data(pictures(2, 4, 4, 4), "all"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Centred", "other features of an image when another one is beside it"),
        ("Divided", "makes NaN or infinite features"),
        ("Pair", "of 2 images it made a tuple"),
        ("Few", "of 2 images it made a tensor of shape (1, 48)"),
    ],
)
def test_outputs_that_are_no_features_are_refused(package: str, name: str, reason: str) -> None:
    assert reason in refused(Module(name=f"{package}.{name}"), pictures(3, 3, 4, 4))


def test_images_that_the_network_cant_take_are_refused(package: str, script: Path) -> None:
    for extractor in (Module(name=f"{package}.Linear"), TorchScript(path=str(script))):
        with pytest.raises(Unsupported) as raised:
            extractor.check(Data(pictures(2, 3, 8, 8), "all"))
        said = str(raised.value)
        assert "can't take images of shape (3, 8, 8)" in said
        assert "size=224:inputs=imagenet" in said
        assert "mat1 and mat2 shapes" in said


# torchscript


def test_torchscript_features_are_its_networks(script: Path) -> None:
    images = pictures(4, 3, 4, 4)
    extractor = TorchScript(path=str(script))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = seen(extractor, images).values
        expected = extractor._network.network(images / 255)
    torch.testing.assert_close(values, expected)
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    assert extractor.settings == (f"torchscript-{digest[:8]}", "0..1", "uint8")


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04", None])
def test_a_file_that_is_no_torchscript_is_refused(
    script: Path, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(script.read_bytes()[:-500] if content is None else content)
    said = refused(TorchScript(path=str(path)), pictures(2, 3, 4, 4))
    assert f"{path} is not a TorchScript file, or is truncated" in said


def test_a_state_dict_is_no_torchscript(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(nn.Linear(2, 2).state_dict(), path)
    said = refused(TorchScript(path=str(path)), pictures(2, 3, 4, 4))
    assert "it has to be what torch.jit.save(network, FILE) writes" in said


def test_a_missing_torchscript_file_is_named(tmp_path: Path) -> None:
    said = refused(TorchScript(path=str(tmp_path / "none.pt")), pictures(2, 3, 4, 4))
    assert said == f"can't read the network {tmp_path / 'none.pt'}: No such file or directory"


# module


@pytest.mark.parametrize("form", ["{}.Linear", "{}:Linear"])
def test_an_untrained_module_is_the_same_each_time(package: str, form: str) -> None:
    images = pictures(3, 3, 4, 4)
    name = form.format(package)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, second = Module(name=name), Module(name=name)
    values = seen(first, images).values
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(seen(second, images).values, values)
    assert first.settings == second.settings
    assert first.settings[0].startswith(f"{package}.Linear-")


def test_an_instance_is_taken_as_it_is(package: str) -> None:
    images = pictures(3, 3, 4, 4)
    extractor = Module(name=f"{package}.instance")
    values = seen(extractor, images).values
    assert torch.equal(values, extractor._network.network(images / 255))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_are_read_and_named(package: str, tmp_path: Path, suffix: str) -> None:
    images = pictures(3, 3, 4, 4)
    network = nn.Linear(48, 5)
    path = tmp_path / f"weights{suffix}"
    save = {".pth": torch.save, ".safetensors": safetensors.torch.save_file}[suffix]
    save(network.state_dict(), path)
    extractor = Module(name=f"{package}.Linear", weights=str(path))
    torch.testing.assert_close(
        seen(extractor, images).values, network(images.flatten(1) / 255).detach()
    )
    untrained = Module(name=f"{package}.Linear")
    seen(untrained, images)
    assert extractor.settings != untrained.settings


def test_the_digest_is_of_names_shapes_and_bytes(package: str, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(5, 48), "bias": torch.ones(5)}, tmp_path / "weights.pth")
    extractor = Module(name=f"{package}.Linear", weights=str(tmp_path / "weights.pth"))
    seen(extractor, pictures(2, 3, 4, 4))
    content = b"bias:torch.float32(5,):" + torch.ones(5).numpy().tobytes()
    content += b"weight:torch.float32(5, 48):" + bytes(5 * 48 * 4)
    digest = hashlib.sha256(content).hexdigest()
    assert extractor.settings[0] == f"{package}.Linear-{digest[:8]}"


def test_weights_of_another_network_are_refused(package: str, tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    extractor = Module(name=f"{package}.Linear", weights=str(tmp_path / "other.pth"))
    said = refused(extractor, pictures(2, 3, 4, 4))
    assert f"holds another network than {package}.Linear" in said


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("Absent", "Python finds no '{}.Absent': "),
        ("Needy", "'{}.Needy' can't be made without arguments: "),
        ("nothing", "'{}.nothing' has to be or make a torch.nn.Module, not int"),
        ("torch", "'{}.torch' can't be made without arguments: "),
    ],
)
def test_names_that_are_no_network_are_refused(package: str, attribute: str, reason: str) -> None:
    said = refused(Module(name=f"{package}.{attribute}"), pictures(2, 3, 4, 4))
    assert said.startswith(reason.format(package))


def test_a_package_that_is_not_there_is_refused() -> None:
    said = refused(Module(name="no_such_package_here.Network"), pictures(2, 3, 4, 4))
    assert "Python finds no 'no_such_package_here.Network'" in said
    assert "PYTHONPATH" in said
