import json
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest
import torch
from annotated_types import Ge

from ganbench.catalogue import EXTRACTOR, METRIC
from ganbench.choices import choose
from ganbench.data import Data
from ganbench.errors import BadInput, NotPrepared, PluginBroken, Unsupported
from ganbench.scores import Needed, Score, from_recipe, pair, prepared
from ganbench.specs import parse_one

IMAGES = Data(torch.zeros(100, 1, 8, 8, dtype=torch.uint8), "train")


class OnSamples:
    version: ClassVar[int] = 1
    directions: ClassVar[dict[str, str]] = {"spread": "higher"}
    settings: ClassVar[tuple[str, ...]] = ("plain",)

    def check(self, reference):
        if not reference.is_images:
            raise Unsupported("spread needs images")


class Judging(OnSamples):
    directions: ClassVar[dict[str, str]] = {"gap": "lower"}

    def judge(self, discriminator, loss): ...


@dataclass(frozen=True)
class Distance:
    version: ClassVar[int] = 1
    directions: ClassVar[dict[str, str]] = {"distance": "lower", "ratio": "higher"}
    needs: ClassVar[frozenset[str]] = frozenset({"moments"})
    k: Annotated[int, Ge(1)] = 3

    @property
    def settings(self):
        return (f"k={self.k}",)

    @property
    def least_samples(self):
        return self.k + 1

    def compare(self, real, generated):
        return {"distance": 0.0, "ratio": 1.0}


class Silent(Distance):
    """Does not say that k matters."""

    settings = ()


class OnClasses(Distance):
    directions: ClassVar[dict[str, str]] = {"classes": "higher"}
    needs: ClassVar[frozenset[str]] = frozenset({"class_counts"})


class Particular(Distance):
    directions: ClassVar[dict[str, str]] = {"fid": "lower"}
    extractor: ClassVar[str] = "eyes"

    def check(self, extractor):
        if extractor.colour == "green":
            raise BadInput("fid needs eyes of another colour")


@dataclass
class Eyes:
    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 4
    colour: str = "blue"
    checked: ClassVar[int] = 0

    @property
    def settings(self):
        return (f"eyes-{self.colour}", "uint8")

    def check(self, reference):
        Eyes.checked += 1
        if self.colour == "lost":
            raise NotPrepared("the weights are not there")

    def load(self, device): ...


class Glasses(Eyes):
    names_classes: ClassVar[bool] = True

    @property
    def settings(self):
        return ("glasses",)


@pytest.fixture
def catalogue(toys):
    return toys(
        (METRIC, "spread", OnSamples),
        (METRIC, "gap", Judging),
        (METRIC, "distance", Distance),
        (METRIC, "silent", Silent),
        (METRIC, "classes", OnClasses),
        (METRIC, "fid", Particular),
        (EXTRACTOR, "eyes", Eyes),
        (EXTRACTOR, "glasses", Glasses),
    )


@pytest.fixture
def paired(catalogue):
    def make(metrics: str, extractors: str = "", suiting: str = "glasses") -> tuple[Score, ...]:
        chosen = [choose(catalogue, METRIC, parse_one(m)) for m in metrics.split(",")]
        eyes = [choose(catalogue, EXTRACTOR, parse_one(e)) for e in extractors.split(",") if e]
        return pair(catalogue, chosen, eyes, [spec for spec in suiting.split(",") if spec])

    return make


def names(scores) -> list[str]:
    return ["@".join(choice.short for choice in score.choices) for score in scores]


@pytest.mark.parametrize(
    ("metrics", "extractors", "expected"),
    [
        ("spread", "", ["spread"]),
        ("distance", "", ["distance@glasses"]),
        ("distance,spread", "eyes", ["distance@eyes", "spread"]),
        ("distance,classes", "eyes,glasses",
         ["distance@eyes", "distance@glasses", "classes@eyes", "classes@glasses"]),
        ("fid", "", ["fid@eyes"]),
        ("fid,distance", "", ["fid@eyes", "distance@glasses"]),
        ("fid", "eyes:colour=red", ["fid@eyes:colour=red"]),
        ("fid,distance", "glasses", ["fid@eyes", "distance@glasses"]),
        ("fid,distance", "eyes:colour=red,glasses",
         ["fid@eyes:colour=red", "distance@eyes:colour=red", "distance@glasses"]),
    ],
)  # fmt: skip
def test_every_metric_meets_the_extractors_that_it_can_use(paired, metrics, extractors, expected):
    assert names(paired(metrics, extractors)) == expected


def test_each_that_suits_is_met_by_the_metrics_that_can_use_it(paired):
    scores = paired("distance,fid,spread", suiting="glasses,eyes:colour=red")
    assert names(scores) == [
        "distance@glasses", "distance@eyes:colour=red", "fid@eyes:colour=red", "spread",
    ]  # fmt: skip


def test_features_need_something_that_sees_them(paired):
    with pytest.raises(BadInput, match=r"metric 'distance' compares features.* --extractors"):
        paired("distance", suiting="")
    assert names(paired("spread,fid", suiting="")) == ["spread", "fid@eyes"]


def test_an_extractor_that_nothing_uses_is_refused(paired):
    with pytest.raises(BadInput, match="extractor 'eyes' is of no use to the metrics spread"):
        paired("spread", "eyes")
    with pytest.raises(BadInput, match="extractor 'glasses' is of no use to the metrics fid"):
        paired("fid", "glasses")


def test_columns_say_all_that_the_numbers_depend_on(paired):
    (scale,) = prepared(paired("distance:k=5"), IMAGES, 2000)
    assert scale.score.settings == ("glasses", "k=5")
    assert {key: tuple(column) for key, column in scale.columns(2000, IMAGES).items()} == {
        "distance": ("distance[n=2000,train:100,glasses,k=5]", "lower"),
        "ratio": ("ratio[n=2000,train:100,glasses,k=5]", "higher"),
    }
    names = scale.columns(50, IMAGES, ["ema"])
    assert names["ratio"].name == "ratio[n=50,ema,train:100,glasses,k=5]"


def test_an_extractor_is_made_once_for_all_its_metrics(paired, monkeypatch):
    monkeypatch.setattr(Eyes, "checked", 0)
    one, two, three = prepared(paired("distance,fid", "eyes,glasses"), IMAGES, 50)
    assert one.extractor is three.extractor
    assert one.extractor is not two.extractor
    assert Eyes.checked == 2


@pytest.mark.parametrize(("generated", "real"), [(3, 100), (100, 3)])
def test_too_few_samples_on_either_side_are_refused(paired, generated, real):
    few = Data(IMAGES.samples[:real], "train")
    with pytest.raises(BadInput, match=r"'distance' needs at least 4 real .* there are 3"):
        prepared(paired("distance"), few, generated)
    assert prepared(paired("distance:k=2"), few, generated)


def test_what_is_on_classes_needs_an_extractor_that_names_them(paired):
    assert prepared(paired("classes", "glasses"), IMAGES, 50)
    with pytest.raises(Unsupported, match=r"'classes' needs .* names classes.*eyes"):
        prepared(paired("classes", "eyes"), IMAGES, 50)


def test_a_metric_may_refuse_an_extractor(paired):
    with pytest.raises(BadInput, match="eyes of another colour"):
        prepared(paired("fid", "eyes:colour=green"), IMAGES, 50)


def test_what_lacks_its_weights_says_so_even_if_nobody_asked_for_it(paired):
    for needed in Needed:
        with pytest.raises(NotPrepared, match="weights are not there"):
            prepared(paired("spread,fid", "eyes:colour=lost"), IMAGES, 50, needed=needed)


def test_what_nobody_asked_for_is_left_out_where_it_can_not_be_had_and_it_is_said(paired):
    scores = paired("spread,distance:k=60,classes,fid", "eyes:colour=green")
    with pytest.raises(BadInput, match="at least 61"):
        prepared(scores, IMAGES, 50)
    with pytest.warns(UserWarning, match="is left out") as warned:
        kept = prepared(scores, IMAGES, 50, needed=Needed.HEADLINE)
    assert names(scale.score for scale in kept) == ["spread"]
    assert [str(each.message) for each in warned] == [
        "metric 'distance:k=60' on 'eyes:colour=green' is left out: metric 'distance:k=60' needs"
        " at least 61 real and as many generated samples; on one side there are 50",
        "metric 'classes' on 'eyes:colour=green' is left out: metric 'classes' needs an extractor"
        " that names classes, and 'eyes:colour=green' names none",
        "metric 'fid' on 'eyes:colour=green' is left out: fid needs eyes of another colour",
    ]


def test_each_metric_is_had_on_what_fits_of_its_extractors(paired):
    scores = paired("distance,classes", "eyes,glasses")
    with pytest.warns(UserWarning, match="'classes' on 'eyes' is left out: .* names classes"):
        kept = prepared(scores, IMAGES, 50, needed=Needed.EACH_METRIC)
    assert names(each.score for each in kept) == [
        "distance@eyes", "distance@glasses", "classes@glasses",
    ]  # fmt: skip
    with pytest.raises(Unsupported, match=r"'classes' needs .* names classes"):
        prepared(paired("distance,classes", "eyes"), IMAGES, 50, needed=Needed.EACH_METRIC)


def test_the_headline_is_never_left_out(paired):
    with pytest.raises(BadInput, match="at least 61"):
        prepared(paired("distance:k=60,spread"), IMAGES, 50, needed=Needed.HEADLINE)


def test_without_players_nothing_is_judged(paired):
    with pytest.raises(Unsupported, match="'gap' judges D"):
        prepared(paired("gap"), IMAGES, 50, with_players=False)
    with pytest.warns(UserWarning, match="metric 'gap' is left out: .* judges D"):
        kept = prepared(
            paired("spread,gap"), IMAGES, 50, with_players=False, needed=Needed.HEADLINE
        )
    assert names(scale.score for scale in kept) == ["spread"]
    assert len(prepared(paired("spread,gap"), IMAGES, 50)) == 2


@pytest.mark.parametrize(
    "directions", [{"x": "up"}, {"x": None}, {"x": ["lower"]}, {1: "lower"}, {}, ["x"], "x", None]
)
@pytest.mark.parametrize("base", [OnSamples, Distance])
def test_directions_that_are_none_are_their_plugins_fault(toys, base, directions):
    odd = type("Odd", (base,), {"directions": directions})
    catalogue = toys((METRIC, "odd", odd), (EXTRACTOR, "eyes", Eyes))
    scores = pair(catalogue, [choose(catalogue, METRIC, parse_one("odd"))], [], ["eyes"])
    for needed in Needed:
        with pytest.raises(PluginBroken) as refused:
            prepared(scores, IMAGES, 50, needed=needed)
        assert str(refused.value) == (
            "metric 'odd' of plugin toys (toy-package 1.0): `directions` has to map the name of"
            f" each value to 'lower' or 'higher'; it is {directions!r}"
        )


def test_two_values_of_one_name_are_refused(paired):
    with pytest.raises(BadInput, match="metric 'distance' is asked for twice"):
        prepared(paired("distance,distance"), IMAGES, 50)
    with pytest.raises(PluginBroken, match="'silent' and 'silent:k=4' both make distance"):
        prepared(paired("silent,silent:k=4"), IMAGES, 50)
    assert len(prepared(paired("distance,distance:k=4"), IMAGES, 50)) == 2


@pytest.mark.parametrize("spec", ["spread", "distance:k=7"])
def test_a_score_survives_its_recipe_as_json(paired, catalogue, spec):
    score = prepared(paired(spec), IMAGES, 50)[0].score
    again = from_recipe(json.loads(json.dumps(score.recipe())), catalogue)
    assert again == score
    assert again.key_parts() == score.key_parts()


def test_extractor_and_settings_are_part_of_the_key(paired):
    keys = [
        json.dumps(prepared(paired("distance", e), IMAGES, 50)[0].score.key_parts())
        for e in ("eyes", "eyes:colour=red", "glasses")
    ]
    assert len(set(keys)) == 3
