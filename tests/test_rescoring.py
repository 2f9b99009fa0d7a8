"""Sets of images and stored runs, scored by `ganbench.evaluate`."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import ganbench
from ganbench.errors import BadInput, NotPrepared, PluginBroken, StoreError, Unsupported
from ganbench.executors.job import PluginChoice

TINY = {"architectures": "mlp:width=8:depth=1", "budget": "1kimg", "seeds": 1}


def write(folder: Path, images: np.ndarray) -> Path:
    folder.mkdir()
    for place, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{place:04}.png")
    return folder


@pytest.fixture(scope="module")
def digit_images() -> np.ndarray:
    return (load_digits().images * (255 / 16) + 0.5).astype(np.uint8)


@pytest.fixture(scope="module")
def halves(tmp_path_factory, digit_images) -> tuple[Path, Path]:
    """Two folders of real digits, none in both."""
    root = tmp_path_factory.mktemp("halves")
    return write(root / "even", digit_images[::2]), write(root / "odd", digit_images[1::2])


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A run on the gaussian and one on digits, and one that diverged."""
    path = tmp_path_factory.mktemp("evaluated") / "store"
    metrics = "fd-points,modes"
    ganbench.run("nonsat", "gaussian", store=path, metrics=metrics, jobs=1, **TINY)
    short = {"seeds": 1, "store": path, "jobs": 1, "metrics": "fd,classes"}
    ganbench.run(
        "nonsat", "digits", budget="1kimg", protocol="quick:evaluation_samples=300", **short
    )
    ganbench.run(
        "nonsat", "digits", protocol="quick:generator_lr=1e30:evaluation_samples=300",
        budget="1kimg", **short,
    )  # fmt: skip
    return path


def values(report) -> dict[str, float]:
    return dict(zip(report.scores["metric"], report.scores["value"], strict=True))


def test_two_folders_are_scored(halves, tmp_path):
    fake, real = halves
    form = "size=8:channels=1"
    report = ganbench.evaluate(
        fake=f"images:path={fake}:{form}", real=f"images:path={real}:{form}",
        metrics="fd,precision-recall", extractors="digits-cnn", data_folder=tmp_path,
    )  # fmt: skip
    assert list(report.scores.columns) == ["metric", "direction", "value", "noise"]
    names = [name.partition("[")[0] for name in report.scores["metric"]]
    assert names[0] == "fd"
    assert {"precision", "recall"} <= set(names)
    assert all("[n=899,all:898,digits-cnn,uint8" in name for name in report.scores["metric"])
    assert report.scores["value"][0] < 1  # an untrained generator has 43
    assert (report.scores["value"][1:] > 0.7).all()
    assert report.caption.splitlines()[0].startswith("fake images:")
    assert "899 of 1 x 8 x 8 (all)" in report.caption


def test_a_folder_against_a_data_set_takes_its_channels(halves, tmp_path):
    """Grey because digits are; as many as there are, against all that the data set has."""
    report = ganbench.evaluate(fake=halves[0], real="digits", metrics="fd", data_folder=tmp_path)
    (name,) = report.scores["metric"]
    assert name == "fd[n=899,all:1797,digits-cnn,uint8]"
    assert 0 < report.scores["value"][0] < 1


def test_what_suits_the_real_data_is_the_default(halves, tmp_path):
    report = ganbench.evaluate(fake=halves[0], real="digits", data_folder=tmp_path)
    names = [name.partition("[")[0] for name in report.scores["metric"]]
    assert {"fd", "precision", "recall", "classes_covered"} <= set(names)


def test_a_default_that_needs_more_images_is_left_out_and_named(tmp_path, digit_images):
    fake = write(tmp_path / "few", digit_images[:5])
    with pytest.warns(UserWarning, match="'density-coverage' on 'digits-cnn' is left out: .*least"):
        report = ganbench.evaluate(fake=fake, real="digits", data_folder=tmp_path)
    names = {name.partition("[")[0] for name in report.scores["metric"]}
    assert names == {"fd", "precision", "recall", "class_kl", "classes_covered"}


def test_a_set_against_itself_is_at_distance_zero():
    report = ganbench.evaluate(fake="digits", real="digits", metrics="fd,precision-recall")
    fd, *shares = report.scores["value"]
    assert fd == pytest.approx(0, abs=1e-6)
    assert shares == [1.0, 1.0]


def test_one_black_image_over_and_over_is_a_failed_generator_and_no_crash(tmp_path):
    fake = write(tmp_path / "black", np.zeros((1100, 8, 8), np.uint8))
    report = ganbench.evaluate(fake=fake, real="digits", data_folder=tmp_path)
    assert report.caption.splitlines()[-1] == (
        "all generated samples are one and the same: the generator has failed"
    )
    names = [name.partition("[")[0] for name in report.scores["metric"]]
    scores = dict(zip(names, report.scores["value"], strict=True))
    assert scores["fd"] > 40
    assert scores["recall"] == scores["coverage"] == 0
    assert scores["classes_covered"] == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"fake": "digits"}, BadInput, "both `fake` and `real`"),
        ({"fake": "digits", "real": "digits", "run": "abc"}, BadInput, "a stored run, or both"),
        ({"fake": "/no/where", "real": "digits"}, BadInput, "no folder or zip of images at /no/wh"),
        ({"fake": "digts", "real": "digits"}, BadInput, "no data set is called 'digts'"),
        ({"fake": "ring", "real": "digits"}, BadInput, "they need one shape"),
        ({"fake": "mine", "real": "gaussian:size=9"}, BadInput,
         "such as images:path=FOLDER:channels=3, may make them alike: see `ganbench show images`"),
        ({"fake": "digits", "real": "mnist"}, NotPrepared, "ganbench prepare mnist"),
        ({"fake": "digits", "real": "digits", "metrics": "modes"}, Unsupported, "known mixture"),
        ({"fake": "gaussian", "real": "gaussian", "metrics": "optimal-discriminator"}, Unsupported,
         "judges D"),
        ({"run": "xyz"}, BadInput, "no run's key begins with 'xyz'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_message(store, tmp_path, monkeypatch, given, error, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine", np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(error, match=message):
        ganbench.evaluate(store=store, data_folder=tmp_path, **given)


def test_too_few_images_are_refused(tmp_path, digit_images):
    fake = write(tmp_path / "few", digit_images[:3])
    with pytest.raises(BadInput, match=r"'precision-recall' needs at least 4 .* there are 3"):
        ganbench.evaluate(
            fake=fake, real="digits", metrics="precision-recall", data_folder=tmp_path
        )


def test_images_of_different_sizes_are_refused(tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "a.png")
    Image.new("L", (9, 8)).save(folder / "b.png")
    with pytest.raises(BadInput, match=r"a\.png|b\.png"):
        ganbench.evaluate(fake=folder, real="digits", data_folder=tmp_path)


def runs(store: Path, dataset: str):
    frame = ganbench.load(store).runs()
    return frame[(frame["dataset"] == dataset) & (frame["outcome"] == "completed")].iloc[0]


@pytest.mark.parametrize("dataset", ["gaussian", "digits"])
def test_a_run_scored_again_has_the_numbers_of_its_last_evaluation(store, dataset):
    key = runs(store, dataset)["run"]
    frame = ganbench.load(store).frame().query("run == @key and metric.str.contains('n=')")
    last = frame[frame["generator_steps"] == frame["generator_steps"].max()]
    report = ganbench.evaluate(key[:12], store=store, threads=1)
    assert values(report) == dict(zip(last["metric"], last["value"], strict=True))


def test_a_run_can_be_scored_with_other_settings(store):
    key = runs(store, "gaussian")["run"]
    report = ganbench.evaluate(key[:12], samples=77, metrics="modes:radius=2", store=store)
    assert next(iter(values(report))) == "modes_covered[n=77,all:50000,within-2-std]"
    # by the folder's path as well
    again = ganbench.evaluate(
        str(store / "runs" / key), samples=77, metrics="modes:radius=2", store=store
    )
    assert values(again) == values(report)


def test_what_was_scored_again_is_kept_beside_the_run_and_does_not_change_it(store):
    key = runs(store, "gaussian")["run"]
    before = ganbench.load(store).frame()
    report = ganbench.evaluate(key, samples=55, metrics="modes", store=store)
    lines = (store / "runs" / key / "evaluations.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["metrics"] == values(report)
    assert ganbench.load(store).frame().equals(before)


def test_a_run_that_did_not_complete_has_no_generator(store):
    frame = ganbench.load(store).runs()
    (key,) = frame[frame["outcome"] == "diverged"]["run"]
    with pytest.raises(BadInput, match="no generator to score: only completed runs"):
        ganbench.evaluate(key, store=store)


def test_a_generator_that_is_damaged_is_one_message(store):
    key = runs(store, "gaussian")["run"]
    path = store / "runs" / key / "generator.safetensors"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-9])
        with pytest.raises(StoreError, match=r"generator\.safetensors' can't be read"):
            ganbench.evaluate(key, store=store)
    finally:
        path.write_bytes(content)


def test_a_message_names_the_runs_that_there_are(store):
    with pytest.raises(BadInput) as refused:
        ganbench.evaluate("zz", store=store)
    text = str(refused.value)
    assert runs(store, "gaussian")["run"][:12] in text
    assert "nonsat on gaussian, seed 0" in text


PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from ganbench.api import Features, hookimpl


@dataclass(frozen=True)
class Tiny:
    version: ClassVar[int] = {version}
    latent_size = 4
    discriminator_mixes_samples = False

    def check(self, shape): ...

    def build(self, shape):
        return nn.Linear(4, shape[0]), nn.Sequential(nn.Linear(shape[0], 1), nn.Flatten(0))


@dataclass
class Faulty:
    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 100
    settings: ClassVar[tuple[str, ...]] = ("faulty",)
    mode: str = "short"

    def check(self, reference): ...

    def load(self, device):
        made = {{"short": lambda x: Features(x[1:]), "raises": lambda x: 1 / 0}}
        return made[self.mode]


@hookimpl
def ganbench_architectures():
    return {{"tiny": Tiny}}


@hookimpl
def ganbench_extractors():
    return {{"faulty": Faulty}}
"""


def test_a_run_whose_network_has_changed_is_not_scored_as_another(tmp_path):
    """The same weights would fit the changed code, and give another network's numbers."""
    file = tmp_path / "tiny.py"
    file.write_text(PLUGIN.format(version=1))
    plugins = PluginChoice((), (str(file),))
    common = {"store": tmp_path / "store", "plugins": plugins, "jobs": 1}
    results = ganbench.run(
        "nonsat", "gaussian", architectures="tiny", budget="1kimg", seeds=1, metrics="modes",
        **common,
    )  # fmt: skip
    (key,) = results.runs()["run"]
    common.pop("jobs")
    assert len(ganbench.evaluate(key, **common).scores) == 3
    file.write_text(PLUGIN.format(version=2))
    with pytest.raises(BadInput, match="another version of architecture 'tiny' than is installed"):
        ganbench.evaluate(key, **common)


@pytest.mark.parametrize(
    ("mode", "message"),
    [("short", r"Faulty has to return values \[100, features\]"), ("raises", "ZeroDivisionError")],
)
def test_a_plugins_fault_is_one_message(tmp_path, mode, message):
    file = tmp_path / "tiny.py"
    file.write_text(PLUGIN.format(version=1))
    with pytest.raises(PluginBroken, match=message):
        ganbench.evaluate(
            fake="gaussian:size=300", real="gaussian:size=300", metrics="fd",
            extractors=f"faulty:mode={mode}", plugins=PluginChoice((), (str(file),)),
        )  # fmt: skip


def test_a_run_is_scored_again_on_its_own_extractor(tmp_path):
    results = ganbench.run(
        "nonsat", "gaussian", store=tmp_path / "store", metrics="fd", extractors="raw", jobs=1,
        **TINY,
    )  # fmt: skip
    (key,) = results.runs()["run"]
    report = ganbench.evaluate(key, metrics="kid", store=tmp_path / "store")
    assert report.scores["metric"][0].startswith("kid[n=2000,all:50000,raw,")


def test_a_run_is_scored_again_on_each_of_its_extractors_that_fits(tmp_path):
    """`classes` needs an extractor that names them, which `raw` does not."""
    results = ganbench.run(
        "nonsat", "digits", store=tmp_path / "store", metrics="fd", extractors="raw,digits-cnn",
        budget="1kimg", seeds=1, jobs=1, protocol="quick:evaluation_samples=300",
    )  # fmt: skip
    (key,) = results.runs()["run"]
    with pytest.warns(UserWarning, match="'classes' on 'raw' is left out: .* names classes"):
        report = ganbench.evaluate(key, metrics="fd,classes", store=tmp_path / "store")
    assert list(report.scores["metric"]) == [
        "fd[n=300,all:1797,raw,uint8]",
        "fd[n=300,all:1797,digits-cnn,uint8]",
        "class_kl[n=300,all:1797,digits-cnn,uint8]",
        "classes_covered[n=300,all:1797,digits-cnn,uint8]",
    ]


def test_scores_that_can_not_be_kept_are_shown(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganbench.files._write", full)
    key = runs(store, "gaussian")["run"]
    with pytest.warns(UserWarning, match="can't be kept: .* No space left"):
        report = ganbench.evaluate(key, metrics="modes", store=store)
    assert len(report.scores) == 3
