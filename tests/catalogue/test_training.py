"""Every registered component, trained on real games: it is used, kept and restored whole."""

from itertools import islice
from typing import get_args
from zlib import crc32

import pytest
import safetensors.torch
import torch

from ganbench import play as playing
from ganbench.assembly import assemble
from ganbench.catalogue import ARCHITECTURE, LOSS, PENALTY, SCHEDULE
from ganbench.checkpoint import capture, restore
from ganbench.choices import choose, fields_of
from ganbench.plugins import discover
from ganbench.specs import Spec, parse_entries, parse_one
from ganbench.store import RunFolder
from ganbench.training import train

BUNDLED = discover()
CPU = torch.device("cpu")


def names(kind):
    return [component.name for component in BUNDLED.of_kind(kind)]


OBJECTIVES = [
    *names(LOSS),
    *(recipe.name for recipe in BUNDLED.recipes),
    *(f"nonsat+{name}" for name in names(PENALTY)),
]
ON_IMAGES = {"bcr", "cr", "diffaug"}


def needs(objective, fact):
    name = parse_entries(objective)[0][0].name
    recipe = BUNDLED.recipe(name)
    loss = parse_entries(recipe.spec)[0][0].name if recipe else name
    return getattr(BUNDLED.find(LOSS, loss).cls, fact, False)


def suited(objective, ring, pictures):
    """An architecture and data on which this objective can be played."""
    if objective.rpartition("+")[2].partition(":")[0] in ON_IMAGES:
        return "dcgan:width=4:discriminator_norm=none", pictures(8, 1)
    if needs(objective, "needs_autoencoder"):
        return "mlp-autoencoder:width=16", ring
    return "mlp:width=16", ring


def assert_restored_equal(experiment, data, rounds):
    """Play on from a checkpoint that went through safetensors; compare to the bit."""
    straight = assemble(experiment, data, CPU)
    schedule = experiment.schedule.create()
    going = train(straight, schedule)
    for _ in islice(going, rounds // 2):
        pass
    stored = safetensors.torch.save(capture(straight, schedule))
    for _ in islice(going, rounds - rounds // 2):
        pass
    expected = capture(straight, schedule)
    again, fresh = assemble(experiment, data, CPU), experiment.schedule.create()
    restore(again, fresh, safetensors.torch.load(stored))
    for _ in islice(train(again, fresh), rounds - rounds // 2):
        pass
    found = capture(again, fresh)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        if name.startswith(("generator/", "discriminator/")):
            assert torch.isfinite(tensor).all(), name
        assert torch.equal(tensor, found[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_objective_trains_and_is_restored_to_the_bit(composed, ring, pictures, objective):
    architecture, data = suited(objective, ring, pictures)
    assert_restored_equal(composed(objective, architecture), data, 200)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", names(SCHEDULE))
def test_a_schedule_trains_and_is_restored_to_the_bit(composed, ring, schedule):
    assert_restored_equal(composed("nonsat", schedule=schedule), ring, 200)


# Small ones of each, and the images that they are shown.
NETWORKS = {
    "conv-autoencoder": ("width=4", (8, 1)),
    "dcgan": ("width=4", (8, 1)),
    "infogan-conv": ("", (8, 1)),
    "mlp": ("width=16", None),
    "mlp-autoencoder": ("width=16", None),
    "r3gan": ("width=16:group_width=8", (16, 3)),
    "resnet": ("generator_width=8:discriminator_width=8", (32, 3)),
    "sndcgan": ("width=4", (16, 3)),
}


def test_every_architecture_is_in_the_table():
    assert sorted(NETWORKS) == names(ARCHITECTURE)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_an_architecture_trains_and_is_restored_to_the_bit(composed, ring, pictures, name):
    fields, shape = NETWORKS[name]
    data = ring if shape is None else pictures(*shape)
    spec = f"{name}:{fields}" if fields else name
    assert_restored_equal(composed("nonsat", spec), data, 10)


SHORT = "quick:batch_size=8:evaluations=2:evaluation_samples=50:budget="


@pytest.fixture
def assert_resumed_equal(tmp_path, killed, finished, monkeypatch):
    """Whether a run that is killed twice, at steps as good as random, ends as one that is not."""
    monkeypatch.setattr(playing, "WINDOW", 1)

    def check(experiment, data, rounds):
        straight, interrupted = RunFolder(tmp_path / "straight"), RunFolder(tmp_path / "killed")
        for folder in (straight, interrupted):
            folder.plan({})
        expected = finished(experiment, data, straight)
        assert expected["outcome"]["outcome"] == "completed"
        drawn = crc32(experiment.key.encode())
        for look in (2 + drawn % (rounds // 2), 2 + drawn // 1000 % (rounds // 3)):
            killed(experiment, data, interrupted, look)
        assert finished(experiment, data, interrupted) == expected
        assert [a["event"] for a in interrupted.attempts()].count("resumed") == 2

    return check


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_run_of_an_objective_is_resumed_to_the_bit(
    composed, ring, pictures, assert_resumed_equal, objective
):
    architecture, data = suited(objective, ring, pictures)
    assert_resumed_equal(composed(objective, architecture, protocol=f"{SHORT}30gsteps"), data, 30)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", names(SCHEDULE))
def test_a_run_of_a_schedule_is_resumed_to_the_bit(composed, ring, assert_resumed_equal, schedule):
    experiment = composed("nonsat", schedule=schedule, protocol=f"{SHORT}30gsteps")
    assert_resumed_equal(experiment, ring, 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_a_run_of_an_architecture_is_resumed_to_the_bit(
    composed, ring, pictures, assert_resumed_equal, name
):
    fields, shape = NETWORKS[name]
    data = ring if shape is None else pictures(*shape)
    spec = f"{name}:{fields}" if fields else name
    assert_resumed_equal(composed("nonsat", spec, protocol=f"{SHORT}8gsteps"), data, 8)


# Where another value than double the default is needed, and a setting that the field matters in.
OTHER_VALUES = {
    ("cr", "shift"): 2,
    ("adaptive", "bound"): 0.6,
    ("bcr", "shift"): 2,
    ("diffaug", "policy"): "color",
    ("ebgan", "margin"): 0.01,
    ("lecam", "decay"): 0.5,
    ("lecam", "start"): 20,
    ("lsgan", "a"): -1.0,
    ("minimax", "label_smoothing"): 0.1,
    ("nonsat", "label_smoothing"): 0.1,
    ("r1", "anneal_steps"): 8,
    ("r1", "final_share"): 0.25,
    ("r2", "anneal_steps"): 8,
    ("r2", "final_share"): 0.25,
    ("top-k", "gamma"): 0.8,
    ("top-k", "nu"): 0.9,
    ("wasserstein", "clip"): 0.01,
}
MATTERS_IN = {
    "lecam": "start=1:weight=30",
    "r1": "final_share=0.5:anneal_steps=4",
    "r2": "final_share=0.5:anneal_steps=4",
    "top-k": "decay_every=2:gamma=0.6",
}
# D learns fast, so that its slopes and logits come to where one-sided penalties act.
FAST = "quick:batch_size=16:discriminator_lr=0.05"


def other_value(name, field):
    if (name, field.name) in OTHER_VALUES:
        return str(OTHER_VALUES[name, field.name])
    if isinstance(field.default, bool):
        return str(not field.default).lower()
    if isinstance(field.default, str):
        return next(value for value in get_args(field.hint) if value != field.default)
    return str(2 * field.default)


def changed_fields(kind):
    """(spec, the same with another value of one field), for every field."""
    for component in BUNDLED.of_kind(kind):
        setting = MATTERS_IN.get(component.name, "")
        given = dict(pair.split("=") for pair in setting.split(":") if pair)
        for field in fields_of(component.cls).values():
            changed = {**given, field.name: other_value(component.name, field)}
            specs = [str(Spec(component.name, tuple(f.items()))) for f in (given, changed)]
            yield pytest.param(*specs, id=specs[1])


def weights(game):
    return torch.cat([p.flatten() for p in game.generator.network.parameters()])


@pytest.fixture
def learnt(composed, played, ring, pictures):
    """G's weights after 12 rounds of an objective."""

    def play(objective):
        architecture, data = suited(objective, ring, pictures)
        return weights(played(composed(objective, architecture, protocol=FAST), data, 12))

    return play


@pytest.mark.parametrize(("spec", "changed"), [*changed_fields(LOSS)])
def test_every_field_of_a_loss_is_used(learnt, spec, changed):
    assert not torch.equal(learnt(spec), learnt(changed))


@pytest.mark.parametrize(("spec", "changed"), [*changed_fields(PENALTY)])
def test_every_field_of_a_penalty_is_used(learnt, spec, changed):
    assert not torch.equal(learnt(f"nonsat+{spec}"), learnt(f"nonsat+{changed}"))


@pytest.mark.parametrize("name", names(PENALTY))
def test_every_penalty_changes_what_is_learnt(composed, played, ring, pictures, name):
    setting = MATTERS_IN.get(name)
    objective = f"nonsat+{name}:{setting}" if setting else f"nonsat+{name}"
    architecture, data = suited(f"nonsat+{name}", ring, pictures)
    without, with_it = (
        weights(played(composed(spec, architecture, protocol=FAST), data, 12))
        for spec in ("nonsat", objective)
    )
    assert not torch.equal(without, with_it)


def built(spec, shape):
    """What a seeded pair of networks makes, judges and is made of."""
    architecture = choose(BUNDLED, ARCHITECTURE, spec).create()
    torch.manual_seed(0)
    generator, discriminator = architecture.build(shape)
    images = generator(torch.linspace(-1, 1, 4 * architecture.latent_size).reshape(4, -1))
    sizes = [p.numel() for network in (generator, discriminator) for p in network.parameters()]
    return sizes, images.detach(), discriminator(images).detach()


def architecture_fields():
    for component in BUNDLED.of_kind(ARCHITECTURE):
        fields, shape = NETWORKS[component.name]
        small = dict(pair.split("=") for pair in fields.split(":") if pair)
        for field in fields_of(component.cls).values():
            now = small.get(field.name)
            other = str(int(now) * 2) if now else other_value(component.name, field)
            specs = [
                Spec(component.name, tuple(given.items()))
                for given in (small, {**small, field.name: other})
            ]
            yield pytest.param(*specs, shape, id=str(specs[1]))


@pytest.mark.parametrize(("spec", "changed", "shape"), [*architecture_fields()])
def test_every_field_of_an_architecture_is_used(spec, changed, shape):
    side, channels = shape or (None, None)
    of = (channels, side, side) if shape else (2,)
    first, second = built(spec, of), built(changed, of)
    same_sizes = first[0] == second[0]
    assert not (same_sizes and all(map(torch.equal, first[1:], second[1:])))


def decided(spec):
    """What a schedule decides over 1,000 generator steps, and on logits of many accuracies."""
    schedule = choose(BUNDLED, SCHEDULE, spec).create()
    steps = [schedule.discriminator_steps(step) for step in range(1000)]
    accepts = getattr(schedule, "accepts", lambda real, fake: True)
    logits = torch.linspace(-1, 1, 20)
    shifts = torch.linspace(0, 1, 50).tolist()
    return steps, [accepts(logits + shift, logits - shift) for shift in shifts]


@pytest.mark.parametrize(("spec", "changed"), [*changed_fields(SCHEDULE)])
def test_every_field_of_a_schedule_is_used(spec, changed):
    assert decided(parse_one(spec)) != decided(parse_one(changed))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_nothing_draws_from_the_global_generator(composed, played, ring, pictures, objective):
    architecture, data = suited(objective, ring, pictures)
    experiment = composed(objective, architecture)
    game = assemble(experiment, data, CPU)
    before = torch.get_rng_state()
    for _ in islice(train(game, experiment.schedule.create()), 2):
        pass
    assert torch.equal(torch.get_rng_state(), before)
