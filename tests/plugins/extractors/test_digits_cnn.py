import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.model_selection import train_test_split

from ganbench.api import Data, Samples, Unsupported
from ganbench.features import Pass, Summary
from ganbench_plugins.extractors.digits_cnn import DigitsCNN, DigitsExtractor

CPU = torch.device("cpu")
SHIPPED = Path(str(files("ganbench_plugins.extractors") / DigitsCNN.weights))
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
    predicted = DigitsCNN.trained(CPU)(digits.samples[held_out]).logits.argmax(1)
    accuracy = (predicted == digits.labels[held_out]).double().mean().item()
    assert accuracy == pytest.approx(float(facts["held_out_accuracy"]), abs=1e-6)
    assert accuracy >= 0.97


def test_the_weights_are_small_and_say_where_they_come_from() -> None:
    assert SHIPPED.stat().st_size < 300_000
    assert SCRIPT.name in header(SHIPPED)["script"]


def test_no_feature_is_dead(digits: Data) -> None:
    values, logits = DigitsExtractor().load(CPU)(digits.samples)
    assert values.shape == (1797, 64)
    assert logits.shape == (1797, 10)
    assert values.std(0).min() > 0.01


def test_loading_draws_nothing_from_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    DigitsExtractor().load(CPU)
    assert torch.equal(before, torch.random.get_rng_state())


def test_features_do_not_depend_on_the_pieces_that_samples_come_in(digits: Data) -> None:
    extractor = DigitsExtractor()

    def seen(piece: int) -> Summary:
        parts = ("values", "logits")
        one_pass = Pass(extractor.load(CPU), extractor.batch_size, parts, len(digits))
        for samples in digits.samples.split(piece):
            one_pass.add(samples)
        return one_pass.summary()

    whole = seen(len(digits))
    for piece in (7, 500, 1000):
        assert torch.equal(seen(piece).values, whole.values)
        assert torch.equal(seen(piece).logits, whole.logits)


def test_settings(digits: Data) -> None:
    extractor = DigitsExtractor()
    extractor.check(digits)
    assert extractor.settings == ("digits-cnn", "uint8")
    assert extractor.names_classes


@pytest.mark.parametrize(
    ("samples", "given"),
    [
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), r"images of shape \(3, 32, 32\)"),
        (torch.zeros(2, 2), r"points of shape \(2,\)"),
    ],
)
def test_other_data_are_refused(samples: Samples, given: str) -> None:
    with pytest.raises(
        Unsupported, match=r"digits-cnn needs grey images of shape \(1, 8, 8\).*" + given
    ):
        DigitsExtractor().check(Data(samples, "all"))


@pytest.mark.slow
def test_the_script_trains_as_good_a_network_again(tmp_path: Path) -> None:
    output = tmp_path / "again.safetensors"
    command = [sys.executable, str(SCRIPT), "--output", str(output)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    accuracy = float(header(output)["held_out_accuracy"])
    assert f"held-out accuracy {accuracy:.4f}" in printed
    assert accuracy >= 0.985
