"""A run that was killed and goes on from its checkpoint ends as if nothing had been.

That its weights, events, pictures and outcome are those of the uninterrupted run, to the bit, is
looked at for everything that keeps a state; `tests/catalogue/test_resume.py` does so for whole
catalogues.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Any, ClassVar

import pytest
import safetensors.torch
import torch
from torch import nn

from ganbench import checkpoint_files
from ganbench import play as playing
from ganbench.assembly import assemble
from ganbench.catalogue import ARCHITECTURE, METRIC, Catalogue
from ganbench.checkpoint import capture
from ganbench.checkpoint_files import Checkpoints
from ganbench.errors import StoreError
from ganbench.files import read_json, write_json
from ganbench.keeping import Attempt, Interrupted
from ganbench.planning import load, plan
from ganbench.request import Request, Setup
from ganbench.runner import run
from ganbench.store import RunFolder

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def a_look_every_second_round(monkeypatch):
    monkeypatch.setattr(playing, "WINDOW", 2)


@pytest.fixture
def folders(tmp_path):
    """Folders of runs, one after another."""
    made = count(1)

    def make() -> RunFolder:
        folder = RunFolder(tmp_path / f"run-{next(made)}")
        folder.plan({})
        return folder

    return make


@dataclass(frozen=True)
class Dropping:
    """Networks that draw from torch's global generator while they train."""

    version: ClassVar[int] = 1
    latent_size: ClassVar[int] = 4
    discriminator_norm: ClassVar[str] = "none"

    def check(self, shape): ...
    def build(self, shape):
        def network(inputs, outputs, *last):
            layers = (nn.Linear(inputs, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, outputs))
            return nn.Sequential(*layers, *last)

        return network(4, shape[0]), network(shape[0], 1, nn.Flatten(0))


class Wandering:
    """A metric that draws from torch's global generator, and judges D."""

    version: ClassVar[int] = 1
    directions: ClassVar[dict[str, str]] = {"score": "higher"}
    settings: ClassVar[tuple[str, ...]] = ()

    def check(self, reference): ...
    def start(self, reference, device):
        self.real = reference.samples[:50]

    def update(self, samples):
        self.sum = samples.sum()

    def judge(self, discriminator, loss):
        with torch.no_grad():
            self.verdict = discriminator(self.real).mean()

    def result(self):
        return {"score": float(self.sum + self.verdict + torch.rand(()))}


OWN = ((ARCHITECTURE, "dropping", Dropping), (METRIC, "wandering", Wandering))
PARTS = ("loss", "dataset", "schedule", "architecture", "metrics")
QUICK = {"batch_size": 4, "evaluations": 3, "evaluation_samples": 50, "budget": "13gsteps"}
POINTS, DIGITS = {"dataset": "gaussian:size=500"}, {"dataset": "digits"}
CASES: dict[str, dict[str, str]] = {
    "plain": {**POINTS},
    "began": {**POINTS, "loss": "began:lambda_k=0.5", "architecture": "mlp-autoencoder:width=8"},
    "lecam": {**POINTS, "loss": "nonsat+lecam:start=3"},
    "weight clipping": {**POINTS, "loss": "wgan", "schedule": "k-step:k=3"},
    "lazy penalty": {**POINTS, "loss": "nonsat+r1:every=4", "schedule": "k-step:k=3"},
    "annealed penalty": {**POINTS, "loss": "rpgan+r1:anneal_steps=8:final_share=0.1"},
    "penalty noise": {**POINTS, "loss": "wasserstein+gp"},
    "top-k": {**POINTS, "loss": "nonsat+top-k:decay_every=3:gamma=0.6"},
    "instance noise": {**POINTS, "loss": "nonsat+instance-noise"},
    "real in G's step": {**POINTS, "loss": "ragan"},
    "adaptive": {**POINTS, "schedule": "adaptive:bound=0.55:k=2"},
    "g-step": {**POINTS, "schedule": "g-step"},
    "warm-up": {**POINTS, "schedule": "wgan-warm-up"},
    "rmsprop": {**POINTS, "optimizer": "rmsprop"},
    "sgd": {**POINTS, "optimizer": "sgd"},
    "sgd without momentum": {**POINTS, "optimizer": "sgd", "beta1": "0.0"},
    "ema": {**POINTS, "ema_half_life_kimg": "0.02", "ema_burn_in_kimg": "0.03"},
    "lr decay": {**POINTS, "lr_decay": "linear"},
    "uniform latents": {**POINTS, "latents": "uniform"},
    "flops": {**POINTS, "budget": "20000flop"},
    "images": {**POINTS, "budget": "0.06kimg"},
    "steps of D": {**POINTS, "budget": "17dsteps", "schedule": "k-step:k=2"},
    "dropout": {**POINTS, "architecture": "dropping"},
    "a metric that judges": {**POINTS, "metrics": "fd-points,optimal-discriminator"},
    "a metric that draws": {**POINTS, "metrics": "wandering"},
    "batch norm": {**DIGITS, "architecture": "dcgan:width=4"},
    "batch norm and ema": {
        **DIGITS,
        "architecture": "dcgan:width=4",
        "ema_half_life_kimg": "0.02",
        "ema_burn_in_kimg": "0.03",
    },
    "spectral norm": {**DIGITS, "architecture": "dcgan:width=4:discriminator_norm=spectral"},
    "flips": {**DIGITS, "architecture": "dcgan:width=4", "horizontal_flip": "true"},
    "diffaug": {
        **DIGITS,
        "architecture": "dcgan:width=4:discriminator_norm=none",
        "loss": "nonsat+diffaug",
    },
}


@pytest.fixture
def chosen(bundled, toys, tmp_path):
    """Plan one of the CASES."""

    def make(name):
        case = {"loss": "nonsat", "schedule": "k-step", "metrics": "", **CASES[name]}
        small = {"architecture": "mlp:width=8:depth=1"} if case["dataset"] != "digits" else {}
        parts = {**small, **{n: case.pop(n) for n in PARTS if n in case}}
        fields = "".join(f":{name}={value}" for name, value in {**QUICK, **case}.items())
        request = Request(
            losses=parts["loss"],
            datasets=parts["dataset"],
            schedules=parts["schedule"],
            architectures=parts["architecture"],
            metrics=parts["metrics"],
            protocol=f"quick{fields}",
            seeds=1,
        )
        setup = Setup(tmp_path / "planned", tmp_path / "data", "cpu")
        catalogue = Catalogue((*bundled.plugins, *toys(*OWN).plugins))
        (experiment,) = plan(request, setup, catalogue)
        return experiment, load(experiment.dataset, setup.data_folder)

    return make


@pytest.mark.parametrize("name", CASES)
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(chosen, folders, killed, finished, name):
    experiment, data = chosen(name)
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 1)  # before there was a checkpoint
    killed(experiment, data, folder, 3)
    killed(experiment, data, folder, 2)
    assert finished(experiment, data, folder) == expected
    resumed = [a["generator_steps"] for a in folder.attempts() if a["event"] == "resumed"]
    assert len(resumed) == 2
    assert 0 < resumed[0] < resumed[1] < expected["outcome"]["generator_steps"]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_run_that_is_asked_to_end_does_so_at_its_next_look(chosen, folders, finished, at_once):
    experiment, data = chosen("lecam")
    expected = finished(experiment, data, folders())
    folder, looks = folders(), count()
    asked = Attempt(folder.begin_attempt(), 1e9, lambda: at_once or next(looks) == 3)
    with pytest.raises(Interrupted):
        run(experiment, data, CPU, folder, asked)
    steps = 2 if at_once else 7
    assert [path.name for path in folder.checkpoints_path.iterdir()] == [f"{steps:010d}"]
    assert finished(experiment, data, folder) == expected
    assert folder.attempts()[-1]["generator_steps"] == steps


def test_what_was_lost_with_the_process_is_forgotten(chosen, folders, killed, finished):
    """Events, half of one, and pictures of after the checkpoint, and a file under way."""
    experiment, data = chosen("plain")
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 3)
    folder.append_event({"event": "evaluated", "generator_steps": 12})
    with (folder.path / "events.jsonl").open("ab") as events:
        events.write(b'{"event": "prog')
    folder.save_picture(12, b"later")
    (folder.checkpoints_path / ".unfinished-state").write_bytes(b"half")
    assert finished(experiment, data, folder) == expected


def checkpoint(folder, place):
    """The folder of a checkpoint, the last being -1."""
    return sorted(folder.checkpoints_path.iterdir())[place]


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 1
    path.write_bytes(content)


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rewrite(file, change):
    """Change a checkpoint's file and its manifest, as somebody would who knows it."""

    def damage(folder):
        path = folder / file
        path.write_bytes(change(path.read_bytes()))
        manifest = read_json(folder / "manifest.json")
        manifest["sha256"][file] = sha256(path.read_bytes()).hexdigest()
        write_json(folder / "manifest.json", manifest)

    return damage


def progress(**changes):
    """With other entries, or without those whose value is None."""

    def change(content):
        entries = {**json.loads(content), **changes}
        return json.dumps({n: v for n, v in entries.items() if v is not None}).encode()

    return rewrite("progress.json", change)


def state(change):
    def changed(content):
        return safetensors.torch.save(change(safetensors.torch.load(content)))

    return rewrite("state.safetensors", changed)


def without(part):
    return lambda tensors: {n: t for n, t in tensors.items() if not n.startswith(part)}


def first_as(part, change):
    """The first tensor of a part is another."""

    def changed(tensors):
        name = min(n for n in tensors if n.startswith(part))
        return {**tensors, name: change(tensors[name]).contiguous()}

    return changed


DAMAGES: dict[str, Any] = {
    "a bit of the state": lambda c: flip(c / "state.safetensors"),
    "a bit of the progress": lambda c: flip(c / "progress.json"),
    "a bit of the manifest": lambda c: flip(c / "manifest.json"),
    "half of the state": lambda c: halve(c / "state.safetensors"),
    "half of the progress": lambda c: halve(c / "progress.json"),
    "half of the manifest": lambda c: halve(c / "manifest.json"),
    "no state": lambda c: (c / "state.safetensors").unlink(),
    "no progress": lambda c: (c / "progress.json").unlink(),
    "no manifest": lambda c: (c / "manifest.json").unlink(),
    "an empty state": lambda c: (c / "state.safetensors").write_bytes(b""),
    "an empty manifest": lambda c: (c / "manifest.json").write_bytes(b""),
    "a manifest of nothing": lambda c: write_json(c / "manifest.json", {}),
    "a folder as state": lambda c: [
        (c / "state.safetensors").unlink(),
        (c / "state.safetensors").mkdir(),
    ],
    "no safetensors": rewrite("state.safetensors", lambda _: b"cos\nsystem\n(S'true'\ntR."),
    "no JSON": rewrite("progress.json", lambda _: b"{"),
    "a list": rewrite("progress.json", lambda _: b"[]"),
    "another schema": progress(schema=0),
    "no schema": progress(schema=None),
    "no clock": progress(clock=None),
    "another clock": progress(clock={"hours": 1}),
    "no share": progress(share=None),
    "no size of the events": progress(events_size=None),
    "events that are longer": progress(events_size=10**6),
    "no discriminator": state(without("discriminator/")),
    "no random state": state(without("random/cpu")),
    "a tensor more": state(lambda tensors: {**tensors, "average/x": torch.zeros(1)}),
    "weights of another shape": state(first_as("generator/", lambda t: torch.cat([t, t]))),
    "weights of another type": state(first_as("generator/", lambda t: t.double())),
    "moments of another shape": state(
        first_as("generator_optimizer/0/exp_avg", lambda t: torch.cat([t, t]))
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_where_the_last_checkpoint_is_damaged_the_one_before_is_taken(
    chosen, folders, killed, finished, damage, capsys
):
    experiment, data = chosen("ema")
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 4)
    steps = int(checkpoint(folder, -2).name)
    DAMAGES[damage](checkpoint(folder, -1))
    assert finished(experiment, data, folder) == expected
    assert folder.attempts()[-1] == {
        "schema": 1,
        "event": "resumed",
        "attempt": 2,
        "generator_steps": steps,
    }
    told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(told) == (damage != "no manifest")


@pytest.mark.parametrize("damage", ["a bit of the state", "no manifest", "no discriminator"])
def test_where_all_are_damaged_the_run_begins_anew(chosen, folders, killed, finished, damage):
    experiment, data = chosen("ema")
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 4)
    for place in (-1, -2):
        DAMAGES[damage](checkpoint(folder, place))
    assert finished(experiment, data, folder) == expected
    assert [line["event"] for line in folder.attempts()] == ["began", "began"]


def test_the_checkpoint_of_another_game_is_left_out(chosen, folders, killed, finished):
    experiment, data = chosen("plain")
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 4)
    last = checkpoint(folder, -1)
    other, _ = chosen("dropout")
    game = assemble(other, data, CPU)
    content = read_json(last / "progress.json")
    tensors = capture(game, other.schedule.create())
    Checkpoints(folder.checkpoints_path).save(int(last.name), tensors, content)
    assert finished(experiment, data, folder) == expected
    assert folder.attempts()[-1]["generator_steps"] < int(last.name)


def test_events_that_are_gone_are_not_gone_on_from(chosen, folders, killed, finished):
    """The file lost its end, with what the last checkpoint counts on."""
    experiment, data = chosen("plain")
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 4)
    before, last = (
        read_json(checkpoint(folder, place) / "progress.json")["events_size"] for place in (-2, -1)
    )
    path = folder.path / "events.jsonl"
    path.write_bytes(path.read_bytes()[: (before + last) // 2])
    assert finished(experiment, data, folder) == expected
    assert folder.attempts()[-1]["generator_steps"] == int(checkpoint_steps(before, folder))


def checkpoint_steps(events_size, folder):
    """The generator steps in the last event of the first so many bytes."""
    lines = (folder.path / "events.jsonl").read_bytes()[:events_size].splitlines()
    return json.loads(lines[-1])["generator_steps"]


def test_a_checkpoint_that_was_passed_over_never_comes_back(chosen, folders, killed, finished):
    """It was not fit when the events were short, and has nothing to do with those of later."""
    experiment, data = chosen("plain")
    expected = finished(experiment, data, folders())
    folder = folders()
    killed(experiment, data, folder, 4)
    before, last = checkpoint(folder, -2), checkpoint(folder, -1)
    path = folder.path / "events.jsonl"
    events_size = read_json(last / "progress.json")["events_size"]
    path.write_bytes(path.read_bytes()[: events_size - 1])
    killed(experiment, data, folder, 1)
    assert list(folder.checkpoints_path.iterdir()) == [before]
    assert finished(experiment, data, folder) == expected


@pytest.fixture
def kept(chosen, folders, killed):
    """A folder with two checkpoints, and the next one to be written."""
    experiment, data = chosen("plain")
    folder = folders()
    killed(experiment, data, folder, 5)
    schedule = experiment.schedule.create()
    return Checkpoints(folder.checkpoints_path), capture(assemble(experiment, data, CPU), schedule)


def test_the_last_two_are_kept(kept):
    checkpoints, tensors = kept
    before = sorted(path.name for path in checkpoints.folder.iterdir())
    assert len(before) == 2
    checkpoints.save(1000, tensors, {})
    assert sorted(p.name for p in checkpoints.folder.iterdir()) == [before[1], "0000001000"]
    assert checkpoints.faults() == []


@pytest.mark.parametrize("file", ["state.safetensors", "progress.json", "manifest.json"])
def test_an_older_one_goes_only_when_the_newer_was_found_sound(kept, monkeypatch, file):
    """Here the disk writes another content than it was given."""
    checkpoints, tensors = kept
    before = {path.name for path in checkpoints.folder.iterdir()}
    write = checkpoint_files.write_atomically

    def badly(path, content):
        write(path, content[:-9] if path.name == file else content)

    monkeypatch.setattr(checkpoint_files, "write_atomically", badly)
    monkeypatch.setattr(
        checkpoint_files, "write_json", lambda path, c: badly(path, checkpoint_files.encoded(c))
    )
    with pytest.raises(StoreError):
        checkpoints.save(1000, tensors, {})
    assert {path.name for path in checkpoints.folder.iterdir()} >= before
    assert len(list(checkpoints.sound())) == 2


def test_a_finished_run_keeps_no_checkpoints(chosen, folders, killed, finished):
    experiment, data = chosen("plain")
    folder = folders()
    killed(experiment, data, folder, 3)
    finished(experiment, data, folder)
    assert not folder.checkpoints_path.exists()
