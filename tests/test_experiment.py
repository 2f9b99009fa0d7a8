import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, ClassVar

import pytest

from ganbench.catalogue import (
    ARCHITECTURE,
    DATASET,
    EXTRACTOR,
    LOSS,
    METRIC,
    PENALTY,
    PROTOCOL,
    SCHEDULE,
)
from ganbench.choices import choose
from ganbench.errors import BadInput
from ganbench.experiment import (
    Experiment,
    Objective,
    canonical_json,
    choose_objective,
    from_recipe,
)
from ganbench.protocol import TrainingProtocol
from ganbench.scores import Score
from ganbench.specs import parse_entries, parse_one


@dataclass(frozen=True)
class ToyLoss:
    version: ClassVar[int] = 1
    margin: float = 1.0
    order: int = 2


@dataclass(frozen=True)
class NewerToyLoss(ToyLoss):
    version: ClassVar[int] = 2


@dataclass(frozen=True)
class ToyPenalty:
    version: ClassVar[int] = 1
    weight: float = 10.0


@dataclass(frozen=True)
class WholeDefault:
    """As authors write it: an int where the field is a float."""

    version: ClassVar[int] = 1
    weight: float = 10


@dataclass(frozen=True)
class ToyNetworks:
    version: ClassVar[int] = 4
    width: int = 32


@dataclass(frozen=True)
class ToySchedule:
    version: ClassVar[int] = 1
    k: int = 1


@dataclass(frozen=True)
class ToyData:
    version: ClassVar[int] = 1
    path: Annotated[str, "location"] = "/data"
    size: int = 8


@dataclass(frozen=True)
class ToyMetric:
    version: ClassVar[int] = 1


@dataclass(frozen=True)
class ToyEyes:
    version: ClassVar[int] = 3
    layer: int = 3


class ToyProtocol(TrainingProtocol):
    version = 7
    datasets = "toy-data"

    budget = "80kimg"
    generator_lr = 1e-4
    discriminator_lr = 5e-4
    beta1 = 0.5
    beta2 = 0.999


class NewerToyProtocol(ToyProtocol):
    version = 8


@pytest.fixture
def catalogue(toys):
    return toys(
        (LOSS, "toy", ToyLoss),
        (LOSS, "other", ToyLoss),
        (PENALTY, "toy-penalty", ToyPenalty),
        (PENALTY, "whole", WholeDefault),
        (ARCHITECTURE, "toy-net", ToyNetworks),
        (SCHEDULE, "toy-schedule", ToySchedule),
        (DATASET, "toy-data", ToyData),
        (METRIC, "toy-metric", ToyMetric),
        (EXTRACTOR, "toy-eyes", ToyEyes),
        (PROTOCOL, "toy-protocol", ToyProtocol),
        (PROTOCOL, "slow", ToyProtocol),
        (PROTOCOL, "newer", NewerToyProtocol),
    )


@pytest.fixture
def make(catalogue):
    def experiment(
        loss: str = "toy+toy-penalty",
        architecture: str = "toy-net",
        schedule: str = "toy-schedule",
        dataset: str = "toy-data",
        protocol: str = "toy-protocol",
        catalogue=catalogue,
        **rest: object,
    ) -> Experiment:
        (entry,) = parse_entries(loss)
        metric = choose(catalogue, METRIC, parse_one("toy-metric"))
        fixed = {
            "data_fingerprint": "f00d",
            "scores": (Score(metric, None, ("net", "uint8")),),
            "seed": 5,
        }
        if "scores" in rest:
            extractor = choose(catalogue, EXTRACTOR, parse_one("toy-eyes:layer=4"))
            rest["scores"] = {
                "none": (),
                "other settings": (Score(metric, None, ("net", "float")),),
                "no settings": (Score(metric),),
                "an extractor": (Score(metric, extractor, ("net", "uint8")),),
                "twice": (Score(metric, None, ("net", "uint8")),) * 2,
            }[rest["scores"]]
        return Experiment(
            objective=choose_objective(catalogue, entry),
            architecture=choose(catalogue, ARCHITECTURE, parse_one(architecture)),
            schedule=choose(catalogue, SCHEDULE, parse_one(schedule)),
            dataset=choose(catalogue, DATASET, parse_one(dataset)),
            protocol=choose(catalogue, PROTOCOL, parse_one(protocol)),
            **{**fixed, **rest},
        )

    return experiment


# What decides a run, written down by hand: keys sorted, no spaces.
CELL = (
    '"architecture":{"distribution":"toy-package","fields":{"width":"32"},"name":"toy-net","source":null,"version":4},'
    '"dataset":{"distribution":"toy-package","fields":{"size":"8"},"fingerprint":"f00d","name":"toy-data","source":null,'
    '"version":1},'
    '"harness":2,'
    '"loss":{"distribution":"toy-package","fields":{"margin":"1.0","order":"2"},"name":"toy","source":null,"version":1},'
    '"machine":null,'
    '"metrics":[{"distribution":"toy-package","extractor":null,"fields":{},"name":"toy-metric",'
    '"settings":["net","uint8"],"source":null,"version":1}],'
    '"penalties":[{"distribution":"toy-package","fields":{"weight":"10.0"},"name":"toy-penalty","source":null,"version":1}],'
    '"protocol":{"distribution":"toy-package","fields":{"batch_size":"64","beta1":"0.5","beta2":"0.999",'
    '"budget":"80kimg","discriminator_lr":"0.0005","ema_burn_in_kimg":"0.0","ema_half_life_kimg":"0.0",'
    '"epsilon":"1e-08","evaluation_samples":"10000","evaluations":"10","generator_lr":"0.0001",'
    '"horizontal_flip":"false","latents":"normal","lr_decay":"none","optimizer":"adam"},'
    '"name":"toy-protocol","source":null,"version":7},'
    '"schedule":{"distribution":"toy-package","fields":{"k":"1"},"name":"toy-schedule","source":null,"version":1}'
)


def test_the_key_is_the_digest_of_what_decides_the_run(make):
    """A change here gives every stored run a new name: raise HARNESS or don't do it."""
    assert make().cell_key == sha256(f"{{{CELL}}}".encode()).hexdigest()
    assert make().key == sha256(f'{{{CELL},"seed":5}}'.encode()).hexdigest()


def test_the_golden_key(make):
    """Computed once, on the day the test was written."""
    assert make().key == "0e890beb6679a9531e89bfa923d576ee8cd23782e50153cf278948454d4a842b"
    assert make().cell_key == "b663088aee6f48a85abebe56fa512524e56d703019f456e4c8baf6d4b25253a3"


@pytest.mark.parametrize(
    "parts",
    [
        {"loss": "toy:margin=1:order=2+toy-penalty"},
        {"loss": "toy:order=2:margin=1.0+toy-penalty:weight=10.0"},
        {"dataset": "toy-data:size=8:path=/moved"},
        {"dataset": "toy-data:path=/moved"},
        {"protocol": "toy-protocol:budget=80.0kimg"},
        {"refusal": "it does not fit"},
    ],
    ids=str,
)
def test_what_does_not_matter_keeps_the_key(make, parts):
    assert make(**parts).key == make().key


CHANGES = [
    {"loss": "toy:margin=2+toy-penalty"},
    {"loss": "toy:order=3+toy-penalty"},
    {"loss": "other+toy-penalty"},
    {"loss": "toy"},
    {"loss": "toy+toy-penalty+whole"},
    {"loss": "toy+toy-penalty:weight=11"},
    {"architecture": "toy-net:width=33"},
    {"schedule": "toy-schedule:k=2"},
    {"dataset": "toy-data:size=9"},
    {"data_fingerprint": "f00e"},
    {"scores": "none"},
    {"scores": "other settings"},
    {"scores": "no settings"},
    {"scores": "an extractor"},
    {"scores": "twice"},
    {"protocol": "newer"},
    {"protocol": "slow"},
    {"protocol": "toy-protocol:budget=81kimg"},
    {"protocol": "toy-protocol:batch_size=65"},
    {"protocol": "toy-protocol:generator_lr=2e-4"},
    {"protocol": "toy-protocol:discriminator_lr=1e-4"},
    {"protocol": "toy-protocol:beta1=0.0"},
    {"protocol": "toy-protocol:beta2=0.9"},
    {"protocol": "toy-protocol:evaluations=11"},
    {"protocol": "toy-protocol:evaluation_samples=2001"},
    {"protocol": "toy-protocol:optimizer=sgd"},
    {"protocol": "toy-protocol:epsilon=1e-6"},
    {"protocol": "toy-protocol:lr_decay=linear"},
    {"protocol": "toy-protocol:ema_half_life_kimg=10"},
    {"protocol": "toy-protocol:ema_half_life_kimg=10:ema_burn_in_kimg=10"},
    {"protocol": "toy-protocol:latents=uniform"},
    {"protocol": "toy-protocol:horizontal_flip=true"},
]


@pytest.mark.parametrize("parts", CHANGES, ids=str)
def test_whatever_decides_the_numbers_changes_run_and_cell(make, parts):
    assert make(**parts).key != make().key
    assert make(**parts).cell_key != make().cell_key


def test_no_two_changes_give_the_same_key(make):
    assert len({make(**parts).key for parts in CHANGES}) == len(CHANGES)


def test_a_new_version_of_the_maths_is_another_run(make, toys, catalogue):
    rest = [(c.kind, c.name, c.target) for c in catalogue.plugins[0].components[1:]]
    newer = toys((LOSS, "toy", NewerToyLoss), *rest)
    assert make(catalogue=newer).key != make().key


def test_the_seed_changes_the_run_and_not_the_cell(make):
    other = make().with_seed(6)
    assert other.seed == 6
    assert other.key != make().key
    assert other.cell_key == make().cell_key
    assert other.with_seed(5) == make()


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"loss": "toy:margin=0.25:order=5"},
        {"dataset": 'toy-data:path="/a,b: c"'},
        {"scores": "none", "seed": 0},
        {"scores": "an extractor"},
        {"loss": "toy+whole"},
    ],
    ids=str,
)
def test_an_experiment_survives_its_recipe_as_json(make, catalogue, parts):
    experiment = make(**parts)
    again = from_recipe(json.loads(json.dumps(experiment.recipe())), catalogue)
    assert again.key == experiment.key
    assert again.recipe() == experiment.recipe()
    assert [c.create() for c in again.choices] == [c.create() for c in experiment.choices]


def test_a_recipe_whose_plugin_has_changed_is_refused(make, toys, catalogue):
    recipe = make().recipe()
    rest = [(c.kind, c.name, c.target) for c in catalogue.plugins[0].components[1:]]
    newer = toys((LOSS, "toy", NewerToyLoss), *rest)
    with pytest.raises(BadInput) as refused:
        from_recipe(recipe, newer)
    assert str(refused.value) == (
        f"run {recipe['key'][:12]} was planned with other versions of its plugins than are"
        " installed now"
    )


def test_the_recipe_says_what_a_table_needs(make):
    recipe = make("toy:margin=3+toy-penalty", schedule="toy-schedule:k=5").recipe()
    assert recipe["objective"] == "toy:margin=3.0+toy-penalty"
    assert recipe["schedule"]["short"] == "toy-schedule:k=5"
    assert recipe["seed"] == 5
    assert recipe["key"] != recipe["cell"]
    assert recipe["dataset"]["fingerprint"] == "f00d"
    assert recipe["metrics"][0]["settings"] == ["net", "uint8"]


def test_an_objective_is_a_loss_and_its_penalties(catalogue):
    (entry,) = parse_entries("toy:order=3+toy-penalty:weight=2+whole")
    objective = choose_objective(catalogue, entry)
    assert isinstance(objective, Objective)
    assert [part.short for part in objective.parts] == [
        "toy:order=3", "toy-penalty:weight=2.0", "whole",
    ]  # fmt: skip
    assert objective.short == "toy:order=3+toy-penalty:weight=2.0+whole"


def test_a_penalty_is_no_loss_and_a_loss_no_penalty(catalogue):
    with pytest.raises(BadInput, match="no loss is called 'toy-penalty'"):
        choose_objective(catalogue, parse_entries("toy-penalty")[0])
    with pytest.raises(BadInput, match="no penalty is called 'other'"):
        choose_objective(catalogue, parse_entries("toy+other")[0])


def test_every_choice_is_named_once(make):
    assert [choice.component.name for choice in make().choices] == [
        "toy", "toy-penalty", "toy-net", "toy-schedule", "toy-data", "toy-metric", "toy-protocol",
    ]  # fmt: skip


def test_canonical_json():
    assert canonical_json({"b": [1, None], "a": "é"}) == '{"a":"\\u00e9","b":[1,null]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"x": float("nan")})
