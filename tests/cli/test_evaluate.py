"""`ganbench evaluate`, as typed."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits


@pytest.fixture
def folder(tmp_path):
    """300 real digits as PNGs."""
    path = tmp_path / "fake"
    path.mkdir()
    images = (load_digits().images[:300] * (255 / 16) + 0.5).astype(np.uint8)
    for place, image in enumerate(images):
        Image.fromarray(image).save(path / f"{place:03}.png")
    return path


def test_a_folder_against_a_data_set(ganbench, folder):
    ran = ganbench(
        "evaluate", "--fake", "fake", "--real", "digits", "--metrics", "fd,precision-recall"
    )
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"fake images:channels=1:path={folder}: 300 of 1 x 8 x 8 (all)"
    assert lines[1] == "real digits: 1,797 of 1 x 8 x 8 (all)"
    assert lines[3].split() == ["metric", "direction", "value", "noise"]
    name, direction, value, noise = lines[4].split()
    assert (name, direction) == ("fd[n=300,all:1797,digits-cnn,uint8]", "lower")
    assert 0 < float(noise) < float(value) < 2
    assert lines[5].split()[0] == "precision[n=300,all:1797,digits-cnn,uint8,k=3]"


def test_every_format(ganbench, folder):
    arguments = ("evaluate", "--fake", "fake", "--real", "digits", "--metrics", "fd", "--format")
    (row,) = json.loads(ganbench(*arguments, "json").out)
    (same,) = csv.DictReader(io.StringIO(ganbench(*arguments, "csv").out))
    assert row["metric"] == same["metric"] == "fd[n=300,all:1797,digits-cnn,uint8]"
    assert row["value"] == pytest.approx(float(same["value"]))
    assert r"fd\[n=300,all:1797,digits-cnn,uint8\]" in ganbench(*arguments, "markdown").out
    assert r"\begin{tabular}" in ganbench(*arguments, "latex").out


def test_stored_runs_are_scored_one_after_another(ganbench, tmp_path):
    tiny = ("--architectures", "mlp:width=8:depth=1", "--budget", "1kimg", "--seeds", "2")
    ran = ganbench(
        "run", "--losses", "nonsat", "--datasets", "gaussian", "--metrics", "modes", *tiny
    )
    assert ran.code == 0
    keys = sorted(path.name for path in (tmp_path / "results" / "runs").iterdir())
    ran = ganbench("evaluate", keys[0][:8], keys[1][:8], "--metrics", "modes", "--samples", "99")
    assert ran.code == 0
    captions = [line for line in ran.out.splitlines() if line.startswith("run ")]
    assert [line.split()[1].rstrip(":") for line in captions] == [key[:12] for key in keys]
    assert ran.out.count("modes_covered[n=99,all:50000,within-3-std]") == 2
    arguments = (keys[0], keys[1], "--metrics", "modes", "--samples", "99", "--format")
    rows = json.loads(ganbench("evaluate", *arguments, "json").out)
    assert [row["compared"].split()[1].rstrip(":") for row in rows] == [
        key[:12] for key in keys for _ in range(3)
    ]
    assert len(list(csv.DictReader(io.StringIO(ganbench("evaluate", *arguments, "csv").out)))) == 6
    ran = ganbench("evaluate", keys[0], "nobody", "--metrics", "modes")
    assert (ran.code, ran.out) == (2, "")


BAD = {
    "nothing": ([], "Give stored runs, or --fake and --real."),
    "half": (["--fake", "digits"], "Give stored runs, or --fake and --real."),
    "both": (["abc", "--fake", "digits", "--real", "digits"], "Give stored runs, or --fake"),
    "samples of a set": (
        ["--fake", "digits", "--real", "digits", "--samples", "9"], "--samples is for runs",
    ),
    "no folder": (["--fake", "./nowhere", "--real", "digits"], "no folder or zip of images at"),
    "no such metric": (
        ["--fake", "digits", "--real", "digits", "--metrics", "fidd"], "no metric is called 'fidd'",
    ),
    "no such extractor": (
        ["--fake", "digits", "--real", "digits", "--extractors", "vgg"],
        "no extractor is called 'vgg'",
    ),
    "no store": (["abc"], "is no ganbench store"),
    "unlike shapes": (["--fake", "ring", "--real", "digits"], "they need one shape"),
    "too few": (
        ["--fake", "gaussian:size=20", "--real", "gaussian", "--metrics", "kid",
         "--extractors", "raw"],
        "'kid' needs at least 1000 real and as many generated samples; on one side there are 20",
    ),
    "weights that are none": (
        ["--fake", "digits", "--real", "digits", "--metrics", "fd", "--extractors",
         "inception:weights=./weights.pth"],
        "weights.pth is not a readable file of weights",
    ),
    "weights that are not there": (
        ["--fake", "digits", "--real", "digits", "--metrics", "fid"], "ganbench prepare inception",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_and_exit_code_2(ganbench, tmp_path, case):
    arguments, message = BAD[case]
    (tmp_path / "weights.pth").write_bytes(b"nothing of the kind")
    ran = ganbench("evaluate", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert message in ran.err
    assert "Traceback" not in ran.err
