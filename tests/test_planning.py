"""What a request becomes: the grid, its defaults, the rules, and what does not fit."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from torch import nn

from ganbench.catalogue import LOSS, PENALTY, PROTOCOL, Catalogue, Origin, Plugin, Recipe
from ganbench.errors import BadInput, PluginBroken, Unsupported
from ganbench.planning import plan
from ganbench.protocol import TrainingProtocol
from ganbench.request import Request, Setup
from ganbench_plugins.losses.non_saturating import NonSaturating


class Paper(TrainingProtocol):
    version = 1
    datasets = "gaussian:size=500"
    architectures = "mlp:width=8"
    schedules = "k-step:k=3"
    budget = "1gsteps"
    generator_lr = 1e-4
    discriminator_lr = 1e-4
    beta1 = 0.5
    beta2 = 0.9


@dataclass(frozen=True)
class Eager(NonSaturating):
    recommended: ClassVar = {"schedule": "k-step:k=5", "beta1": "0", "generator_lr": "0.01"}


@dataclass(frozen=True)
class Fussy:
    version: ClassVar[int] = 1
    recommended: ClassVar = {"generator_lr": "0.02"}

    def __call__(self, discriminator, real, fake, noise):
        return discriminator(real).mean()


@dataclass(frozen=True)
class Idle:
    version: ClassVar[int] = 1


@pytest.fixture
def planned_cells(bundled, toys, tmp_path):
    added = toys(
        (LOSS, "eager", Eager),
        (PENALTY, "fussy", Fussy),
        (PENALTY, "idle", Idle),
        (PROTOCOL, "paper", Paper),
    )
    setup = Setup(tmp_path / "store", tmp_path / "data", "cpu")

    def cells(losses, recipes=(), **request):
        extra = Plugin(Origin("more", "more", "1"), recipes=tuple(recipes))
        catalogue = Catalogue((*bundled.plugins, *added.plugins, extra))
        asked = {"datasets": "gaussian:size=500", "seeds": 1, **request}
        return plan(Request(losses=losses, **asked), setup, catalogue)

    return cells


def recipe(name, spec):
    return Recipe(name, spec, Origin("more", "more", "1"))


def test_a_protocol_brings_what_the_user_leaves_open(planned_cells):
    (cell,) = planned_cells("nonsat", protocol="paper", datasets="")
    assert (cell.dataset.short, cell.architecture.short, cell.schedule.short) == (
        "gaussian:size=500", "mlp:width=8", "k-step:k=3",
    )  # fmt: skip
    (cell,) = planned_cells(
        "nonsat",
        protocol="paper",
        datasets="ring:size=100",
        architectures="mlp",
        schedules="k-step",
    )
    assert (cell.dataset.short, cell.architecture.short, cell.schedule.short) == (
        "ring:size=100", "mlp", "k-step",
    )  # fmt: skip


def test_a_recipe_is_its_parts(planned_cells):
    named, spelt = (planned_cells(losses) for losses in ("wgan-gp", "wasserstein+gp:weight=10"))
    assert named[0].key == spelt[0].key
    assert len(planned_cells("wgan-gp,wasserstein+gp")) == 1


def test_a_field_of_a_recipe_goes_to_each_part_that_has_it(planned_cells):
    (cell,) = planned_cells("r3gan:gamma=3:every=4+gp")
    assert cell.objective.short == "rpgan+r1:every=4:gamma=3.0+r2:every=4:gamma=3.0+gp"
    with pytest.raises(BadInput, match=r"(?s)no field of recipe 'wgan' = .* 'weight'.*Known: clip"):
        planned_cells("wgan:weight=3")


def test_a_recipe_that_is_no_objective_is_its_plugins_fault(planned_cells):
    for spec in ("nonsat,minimax", "nonsat:", "", "odd", "nonsat+gp:wait=3", "nosuch+gp"):
        with pytest.raises(PluginBroken, match=r"recipe 'odd' = .* of plugin more"):
            planned_cells("odd", [recipe("odd", spec)])


def test_one_name_for_two_things_is_refused(planned_cells):
    for recipes in (
        [recipe("nonsat", "minimax")],
        [recipe("twice", "minimax"), recipe("twice", "nonsat")],
    ):
        with pytest.raises(BadInput, match=r"is offered by .* and more \(more 1\)"):
            planned_cells(recipes[0].name, recipes)


def test_all_is_every_loss_and_every_recipe(planned_cells, bundled):
    names = {cell.objective.loss.component.name for cell in planned_cells("all")}
    assert names == {loss.name for loss in bundled.of_kind(LOSS)} | {"eager"}
    assert "wasserstein+gp" in [cell.objective.short for cell in planned_cells("all")]
    assert all(cell.objective.short.endswith("+fussy") for cell in planned_cells("all+fussy"))


def test_an_unknown_name_lists_recipes_too(planned_cells):
    with pytest.raises(BadInput, match=r"no loss is called 'wgan_gp'. Did you mean 'wgan-gp'"):
        planned_cells("wgan_gp")


def test_the_rules_settle_what_a_loss_declares(planned_cells):
    fixed, plain = planned_cells("eager,nonsat", protocol="paper")
    assert fixed.protocol.short == plain.protocol.short == "paper"
    eager, plain = planned_cells("eager,fgan", protocol="paper", rules="recommended")
    assert eager.protocol.short == "paper:beta1=0.0:generator_lr=0.01"
    assert eager.schedule.short == "k-step:k=5"
    assert (plain.protocol.short, plain.schedule.short) == ("paper", "k-step:k=3")


def test_a_penaltys_settings_win_over_the_losss_and_the_users_over_both(planned_cells):
    (cell,) = planned_cells("eager+fussy", protocol="paper", rules="recommended")
    assert cell.protocol.short == "paper:beta1=0.0:generator_lr=0.02"
    (cell,) = planned_cells(
        "eager+fussy", protocol="paper:generator_lr=0.5", rules="recommended", schedules="k-step"
    )
    assert cell.protocol.short == "paper:beta1=0.0:generator_lr=0.5"
    assert cell.schedule.short == "k-step"


def test_equal_settings_are_one_run_whatever_the_rules(planned_cells):
    (settled,) = planned_cells("eager", protocol="paper", rules="recommended")
    (spelt,) = planned_cells(
        "eager", protocol="paper:beta1=0:generator_lr=0.01", schedules="k-step:k=5"
    )
    assert settled.key == spelt.key


def test_a_default_metric_that_does_not_fit_is_named_once(planned_cells):
    few = {"datasets": "digits", "protocol": "quick:evaluation_samples=5"}
    with pytest.warns(UserWarning, match="is left out") as warned:
        cells = planned_cells("minimax,nonsat", **few)
    assert [s.metric.short for s in cells[0].scores] == ["fd", "precision-recall", "classes"]
    assert [str(each.message).partition(" is left out: ")[0] for each in warned] == [
        "metric 'density-coverage' on 'digits-cnn'"
    ]
    with pytest.raises(BadInput, match="'density-coverage' needs at least 6 real"):
        planned_cells("nonsat", metrics="fd,density-coverage", **few)


def test_other_rules_do_not_exist(planned_cells):
    with pytest.raises(BadInput, match="no set of rules is called 'tuned'"):
        planned_cells("nonsat", rules="tuned")


def test_a_loss_that_needs_an_autoencoder_gets_the_data_sets(planned_cells):
    began, plain = planned_cells("began,nonsat")
    assert began.architecture.component.name == "mlp-autoencoder"
    assert plain.architecture.component.name == "mlp"
    with pytest.raises(Unsupported, match="'began' needs an auto-encoding discriminator"):
        planned_cells("began", architectures="mlp")


def test_in_a_grid_what_does_not_fit_is_planned_with_its_refusal(planned_cells):
    cells = planned_cells(
        "nonsat+gp,nonsat",
        datasets="digits",
        architectures="dcgan,dcgan:discriminator_norm=none",
        schedules="k-step",
    )
    refused = [cell for cell in cells if cell.refusal]
    assert len(cells) == 4
    assert [(c.objective.short, c.architecture.short) for c in refused] == [("nonsat+gp", "dcgan")]
    assert "mixes the images of a batch" in refused[0].refusal
    with pytest.raises(Unsupported, match="'gp' needs a discriminator that treats each image"):
        planned_cells("nonsat,nonsat+gp", datasets="digits", architectures="dcgan")


@pytest.mark.parametrize(
    ("losses", "request_", "message"),
    [
        ("rpgan+top-k", {}, "'top-k' leaves out fakes, and 'rpgan' compares the i-th fake"),
        ("mmd+top-k", {}, "'top-k' is made of D's logits, and 'mmd' uses D's embeddings"),
        ("mmd", {"schedules": "adaptive"}, "schedule 'adaptive' judges D by its logits"),
        ("mmd+gp", {}, "'gp' is made of D's logits, and 'mmd' uses D's embeddings"),
        ("mmd+zcr", {}, "'zcr' is made of D's logits"),
        ("nonsat", {"protocol": "paper:horizontal_flip=true"}, "and the data are points"),
        ("nonsat+diffaug", {}, "diffaug"),
        ("nonsat+cr", {}, "cr"),
    ],
)
def test_parts_that_can_not_work_together_are_refused_by_name(
    planned_cells, losses, request_, message
):
    with pytest.raises(Unsupported, match=message):
        planned_cells(losses, **request_)


def test_an_addition_that_adds_nothing_is_its_plugins_fault(planned_cells):
    with pytest.raises(PluginBroken, match=r"penalty 'idle' of plugin toys .* has none of"):
        planned_cells("nonsat+idle")


def test_what_is_registered_as_a_protocol_has_to_be_one(bundled, toys, tmp_path):
    catalogue = Catalogue((*bundled.plugins, *toys((PROTOCOL, "odd", Idle)).plugins))
    setup = Setup(tmp_path / "store", tmp_path / "data", "cpu")
    with pytest.raises(BadInput, match=r"has to be a subclass of ganbench.api.TrainingProtocol"):
        plan(Request(losses="nonsat", protocol="odd"), setup, catalogue)


def test_a_value_cut_at_its_comma_is_recognised(planned_cells):
    with pytest.raises(BadInput, match='quote that: diffaug:policy="color,cutout"'):
        planned_cells("nonsat+diffaug:policy=color,cutout", datasets="digits")
    with pytest.raises(BadInput) as refused:
        planned_cells("nonsat,cutout")
    assert "quote" not in str(refused.value)


def test_what_fits_nowhere_is_a_row_if_it_came_in_by_all(planned_cells):
    cells = planned_cells("all", datasets="digits")
    refused = {cell.objective.short for cell in cells if cell.refusal}
    assert "wasserstein+gp" in refused
    assert "minimax" not in refused
    with pytest.raises(Unsupported, match="mlp makes points"):
        planned_cells("all", datasets="digits", architectures="mlp")


def test_a_penalty_is_added_once(planned_cells):
    with pytest.raises(BadInput, match="'gp' is added twice to 'wgan-gp'"):
        planned_cells("wgan-gp+gp:weight=3")
    shorts = [cell.objective.short for cell in planned_cells("all+gp")]
    assert not any(short.count("+gp") > 1 for short in shorts)


@pytest.mark.parametrize(
    ("recommended", "message"),
    [
        (["generator_lr"], "loss 'odd' of plugin toys .*`recommended` has to map text to text"),
        ({"schedule": 5}, "has to map text to text"),
        ({"lr": "1"}, "loss 'odd' .* declares what can't be had: no field of protocol 'quick'"),
        ({"generator_lr": "-1"}, "loss 'odd' .* declares what can't be had: .*generator_lr"),
        ({"schedule": "k-stop"}, "loss 'odd' .* declares what can't be had: no schedule is"),
    ],
    ids=str,
)
def test_recommendations_that_can_not_be_followed_are_their_plugins_fault(
    bundled, toys, tmp_path, recommended, message
):
    odd = type("Odd", (NonSaturating,), {"recommended": recommended})
    catalogue = Catalogue((*bundled.plugins, *toys((LOSS, "odd", odd)).plugins))
    request = Request(losses="odd", datasets="gaussian:size=500", rules="recommended", seeds=1)
    with pytest.raises(PluginBroken, match=message):
        plan(request, Setup(tmp_path / "store", tmp_path / "data", "cpu"), catalogue)


def test_a_module_that_was_never_initialised_is_named(planned_cells, bundled, toys, tmp_path):
    @dataclass(eq=False)
    class Forgetful(nn.Module):
        version: ClassVar[int] = 1
        weight: float = 1.0

        def forward(self, discriminator, real, fake, noise):
            return discriminator(real).mean()

    catalogue = Catalogue((*bundled.plugins, *toys((PENALTY, "forgetful", Forgetful)).plugins))
    request = Request(losses="nonsat+forgetful", datasets="gaussian:size=500", seeds=1)
    with pytest.raises(PluginBroken, match=r"'forgetful' of plugin toys .* super\(\).__init__"):
        plan(request, Setup(tmp_path / "store", tmp_path / "data", "cpu"), catalogue)
