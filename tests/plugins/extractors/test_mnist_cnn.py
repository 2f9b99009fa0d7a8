import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from ganbench.api import Data, Unsupported
from ganbench_plugins.datasets.mnist import Mnist
from ganbench_plugins.extractors.mnist_cnn import MnistCNN, MnistExtractor

CPU = torch.device("cpu")
SHIPPED = Path(str(files("ganbench_plugins.extractors") / MnistCNN.weights))
SCRIPT = Path(__file__).parents[3] / "scripts" / "train_mnist_extractor.py"


@pytest.fixture(scope="module")
def held_out(real_mnist: Path) -> Data:
    return Mnist("test").load(real_mnist)


def header(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return dict(file.metadata())


def test_the_shipped_weights_have_the_accuracy_that_their_header_states(held_out: Data) -> None:
    predicted = MnistCNN.trained(CPU)(held_out.samples).logits.argmax(1)
    accuracy = (predicted == held_out.labels).double().mean().item()
    # Another CPU's rounding may turn an image or two on the border between two digits.
    assert accuracy == pytest.approx(float(header(SHIPPED)["test_accuracy"]), abs=3e-4)
    assert accuracy >= 0.995


def test_the_weights_are_small_and_say_where_they_come_from() -> None:
    facts = header(SHIPPED)
    assert SHIPPED.stat().st_size < 400_000
    assert SCRIPT.name in facts["script"]
    assert facts["seed"] == "0"
    assert "60,000 training images" in facts["split"]


def test_no_feature_is_dead(held_out: Data) -> None:
    values, logits = MnistExtractor().load(CPU)(held_out.samples[:1000])
    assert values.shape == (1000, 64)
    assert logits.shape == (1000, 10)
    assert values.dtype == logits.dtype == torch.float32
    assert values.std(0).min() > 0.01


def test_loading_draws_nothing_from_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    network = MnistCNN.trained(CPU)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_settings(held_out: Data) -> None:
    extractor = MnistExtractor()
    extractor.check(held_out)
    assert extractor.settings == ("mnist-cnn", "uint8")
    assert extractor.names_classes


@pytest.mark.parametrize(
    ("data", "given"),
    [
        (Data(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), "all"), r"shape \(1, 8, 8\)"),
        (Data(torch.zeros(4, 1, 28, 28, dtype=torch.uint8), "all"), "without labels"),
        (Data(torch.zeros(4, 2), "all"), "points of shape"),
        (
            Data(torch.zeros(9, 1, 28, 28, dtype=torch.uint8), "all", torch.arange(9)),
            "hold no digits, or other labels",
        ),
    ],
    ids=["digits", "unlabelled", "points", "other"],
)
def test_other_data_are_refused(data: Data, given: str) -> None:
    with pytest.raises(Unsupported, match=f"mnist-cnn needs grey digits.*{given}"):
        MnistExtractor().check(data)


@pytest.mark.slow
def test_the_script_trains_as_good_a_network_again(real_mnist: Path, tmp_path: Path) -> None:
    output = tmp_path / "again.safetensors"
    command = [sys.executable, str(SCRIPT), str(real_mnist), "--output", str(output)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    accuracy = float(header(output)["test_accuracy"])
    assert f"test accuracy {accuracy:.4f}" in printed
    assert accuracy >= 0.994
