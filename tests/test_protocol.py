import json

import pytest

from ganbench.catalogue import PROTOCOL
from ganbench.choices import choose
from ganbench.errors import BadInput
from ganbench.protocol import TrainingProtocol, check_class
from ganbench.specs import Spec, parse_one


class Toy(TrainingProtocol):
    """A protocol of these tests."""

    version = 3
    datasets = "ring"

    budget = "1000kimg"
    generator_lr = 1e-4
    discriminator_lr = 2e-4
    beta1 = 0.0
    beta2 = 0.9


@pytest.fixture
def chosen(bundled, toys):
    catalogue = toys((PROTOCOL, "toy", Toy))
    return lambda text: choose(catalogue, PROTOCOL, parse_one(text))


def test_what_the_body_assigns_are_the_fields_defaults_in_the_types_of_the_base():
    settings = Toy()
    assert (settings.budget, settings.generator_lr, settings.beta2) == ("1000kimg", 1e-4, 0.9)
    assert (settings.batch_size, settings.optimizer, settings.epsilon) == (64, "adam", 1e-8)
    assert Toy(batch_size=3) == Toy(batch_size=3) != Toy()
    with pytest.raises(AttributeError):
        settings.batch_size = 3


def test_a_protocol_of_a_protocol():
    class Longer(Toy):
        budget = "2000kimg"

    assert Longer() == Longer(budget="2000kimg", generator_lr=1e-4)
    assert Toy().budget == "1000kimg"


def test_a_choice_survives_its_recipe(chosen):
    choice = chosen("toy:batch_size=32:horizontal_flip=true")
    recipe = json.loads(json.dumps(choice.recipe()))
    assert chosen(recipe["text"]).create() == choice.create()
    assert chosen(str(Spec(recipe["name"], tuple(recipe["fields"].items())))).text == choice.text


def test_one_field_is_settled_and_the_rest_stays(chosen):
    protocol = chosen("toy:batch_size=32")
    assert vars(protocol.create()) == {**vars(Toy()), "batch_size": 32}
    assert protocol.short == "toy:batch_size=32"
    assert "batch_size=32" in protocol.text
    assert protocol.recipe()["fields"]["batch_size"] == "32"


def test_a_number_means_the_same_however_it_is_written(chosen):
    assert chosen("toy:generator_lr=1e-4:budget=1000.0kimg").text == chosen("toy").text
    assert chosen("toy:generator_lr=0.0001:budget=1000.0kimg").short == "toy"


def test_the_budget_is_read(chosen):
    budget = chosen("toy:budget=2gsteps").create().clock
    assert (budget.amount, budget.unit) == (2.0, "gsteps")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("toi", "no protocol is called 'toi'. Did you mean 'toy'?"),
        ("toy:batchsize=3", "no field of protocol 'toy' is called 'batchsize'. Did you mean"),
        ("toy:batch_size=0", "field 'batch_size' can't be '0': Input should be greater than"),
        ("toy:beta1=1", "field 'beta1' can't be '1': Input should be less than 1"),
        ("toy:generator_lr=0", "field 'generator_lr' can't be '0'"),
        ("toy:generator_lr=inf", "field 'generator_lr' can't be 'inf'"),
        ("toy:evaluation_samples=1", "field 'evaluation_samples' can't be '1'"),
        ("toy:evaluations=0", "field 'evaluations' can't be '0'"),
        ("toy:budget=soon", "budget 'soon': it needs a number above 0 and a unit"),
    ],
)
def test_a_bad_protocol_is_refused(chosen, text, message):
    with pytest.raises(BadInput) as refused:
        chosen(text)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("decay", "scales"), [("none", [1.0, 1.0, 1.0, 1.0]), ("linear", [1.0, 0.75, 0.0, 0.0])]
)
def test_learning_rates_fall_as_the_protocol_says(decay, scales):
    settings = Toy(lr_decay=decay)
    assert [settings.lr_scale(share) for share in (0.0, 0.25, 1.0, 1.2)] == scales


@pytest.mark.parametrize("cls", [int, type("NoData", (TrainingProtocol,), {"version": 1})])
def test_what_is_no_protocol_is_refused(cls):
    with pytest.raises(BadInput, match=r"subclass of ganbench.api.TrainingProtocol"):
        check_class(cls)


@pytest.mark.parametrize("body", [{"batchsize": 8}, {"__annotations__": {"extra": int}}])
def test_a_name_that_is_no_field_is_refused_where_it_is_written(body):
    with pytest.raises(TypeError, match=r"protocol Odd: '(batchsize|extra)' is no field"):
        type("Odd", (Toy,), body)


def test_methods_and_facts_are_no_fields():
    class Longer(Toy):
        schedules = "k-step:k=2"

        def helper(self):
            return self.budget

    assert Longer().helper() == "1000kimg"


def test_a_burn_in_without_an_average_is_refused(chosen):
    with pytest.raises(BadInput, match="ema_burn_in_kimg is without effect"):
        chosen("toy:ema_burn_in_kimg=5")
