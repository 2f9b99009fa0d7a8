import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.model_selection import train_test_split

from ganbench.data import Data
from ganbench_plugins.metrics.digits_cnn import WEIGHTS, DigitsCNN

SHIPPED = Path(str(files("ganbench_plugins.metrics") / WEIGHTS))
SCRIPT = Path(__file__).parents[3] / "scripts" / "train_digits_extractor.py"


def header(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return dict(file.metadata())


def test_the_shipped_weights_have_the_accuracy_that_their_header_states(digits: Data) -> None:
    facts = header(SHIPPED)
    _, held_out = train_test_split(
        np.arange(len(digits)),
        test_size=float(facts["held_out_share"]),
        random_state=int(facts["seed"]),
        stratify=digits.labels,
    )
    assert len(held_out) == 360
    predicted = DigitsCNN.trained(torch.device("cpu"))(digits.samples[held_out]).argmax(1)
    accuracy = (predicted == digits.labels[held_out]).double().mean().item()
    assert accuracy == pytest.approx(float(facts["held_out_accuracy"]), abs=1e-6)
    assert accuracy >= 0.97


def test_the_weights_are_small_and_say_where_they_come_from() -> None:
    assert SHIPPED.stat().st_size < 300_000
    assert SCRIPT.name in header(SHIPPED)["script"]


def test_no_feature_is_dead(digits: Data) -> None:
    features = DigitsCNN.trained(torch.device("cpu")).features(digits.samples)
    assert features.shape == (1797, 64)
    assert features.std(0).min() > 0.01


def test_loading_draws_nothing_from_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    DigitsCNN.trained(torch.device("cpu"))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.slow
def test_the_script_trains_as_good_a_network_again(tmp_path: Path) -> None:
    output = tmp_path / "again.safetensors"
    command = [sys.executable, str(SCRIPT), "--output", str(output)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    accuracy = float(header(output)["held_out_accuracy"])
    assert f"held-out accuracy {accuracy:.4f}" in printed
    assert accuracy >= 0.985
