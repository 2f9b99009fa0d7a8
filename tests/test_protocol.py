import json

import pytest

from ganbench.errors import BadInput
from ganbench.protocol import PROTOCOLS, choose_protocol
from ganbench.specs import Spec, parse_one


def chosen(text: str):
    return choose_protocol(parse_one(text))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_preset_is_itself_and_survives_its_recipe(name):
    preset = choose_protocol(Spec(name))
    assert preset == PROTOCOLS[name]
    assert (preset.name, preset.short) == (name, name)
    assert preset.source
    recipe = json.loads(json.dumps(preset.recipe()))
    assert choose_protocol(Spec(recipe["name"], tuple(recipe["fields"].items()))) == preset
    assert chosen(recipe["text"]) == preset


def test_quick_is_spelt_out():
    """Published with every result of it: a change needs a new version of the preset."""
    assert PROTOCOLS["quick"].version == 1
    assert PROTOCOLS["quick"].text == (
        "quick:batch_size=64:beta1=0.5:beta2=0.999:budget=80kimg:discriminator_lr=0.0005"
        ":evaluation_samples=2000:evaluations=10:generator_lr=0.0005"
    )


def test_one_field_is_settled_and_the_rest_stays():
    protocol = chosen("quick:batch_size=32")
    assert protocol.settings.batch_size == 32
    assert vars(protocol.settings) == {**vars(PROTOCOLS["quick"].settings), "batch_size": 32}
    assert protocol.short == "quick:batch_size=32"
    assert "batch_size=32" in protocol.text
    assert protocol.recipe()["fields"]["batch_size"] == "32"


def test_a_number_means_the_same_however_it_is_written():
    assert chosen("quick:generator_lr=5e-4").text == chosen("quick").text
    assert chosen("quick:generator_lr=5e-4").short == "quick"


def test_the_budget_is_read():
    budget = chosen("quick:budget=2gsteps").budget
    assert (budget.amount, budget.unit) == (2.0, "gsteps")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("quik", "no protocol is called 'quik'. Did you mean 'quick'?"),
        ("quick:batchsize=3", "no field of protocol 'quick' is called 'batchsize'. Did you mean"),
        ("quick:batch_size=0", "field 'batch_size' can't be '0': Input should be greater than"),
        ("quick:beta1=1", "field 'beta1' can't be '1': Input should be less than 1"),
        ("quick:generator_lr=0", "field 'generator_lr' can't be '0'"),
        ("quick:generator_lr=inf", "field 'generator_lr' can't be 'inf'"),
        ("quick:evaluation_samples=1", "field 'evaluation_samples' can't be '1'"),
        ("quick:evaluations=0", "field 'evaluations' can't be '0'"),
        ("quick:budget=soon", "budget 'soon': it needs a number above 0 and a unit"),
    ],
)
def test_a_bad_protocol_is_refused(text, message):
    with pytest.raises(BadInput) as refused:
        chosen(text)
    assert message in str(refused.value)
