"""What a name stands for, where there is a data set and something on disk."""

import warnings

import pytest

from ganbench.catalogue import DATASET, Catalogue
from ganbench.errors import BadInput
from ganbench.sample_sets import chosen_set, how_to_read


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["digits", "ring:modes=2"])
def test_a_data_sets_name_is_its_whatever_lies_here_and_that_is_said(bundled, here, name):
    assert chosen_set(name, bundled, 3).short == name
    (here / name).mkdir()
    with pytest.warns(UserWarning, match=rf"'{name}' is the data set .* that is \./{name}"):
        assert chosen_set(name, bundled, 3).short == name


def test_a_path_is_what_lies_there(bundled, here):
    (here / "digits").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in ("./digits", here / "digits"):
            assert chosen_set(str(path), bundled, 1).short == (
                f"images:channels=1:path={here / 'digits'}"
            )


@pytest.mark.parametrize("name", ["photos", "images", "digits:modes=3", "two words"])
def test_what_can_be_no_data_set_is_what_lies_here(bundled, here, name):
    (here / name).mkdir()
    choice = chosen_set(name, bundled, 1)
    assert (choice.component.name, choice.values["path"]) == ("images", str(here / name))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digts", "no data set is called 'digts'. Did you mean 'digits'"),
        ("./digits", "there is no folder or zip of images at ./digits"),
        ("images", "field 'path' is missing"),
    ],
)
def test_what_is_neither_is_refused(bundled, here, name, message):
    with pytest.raises(BadInput, match=message):
        chosen_set(name, bundled, 3)


def test_a_data_set_that_is_broken_does_not_stop_another(bundled, toys, here):
    broken = toys((DATASET, "broken", "no_such_module:Broken"))
    (here / "photos").mkdir()
    catalogue = Catalogue((*broken.plugins, *bundled.plugins))
    assert chosen_set("photos", catalogue, 3).component.name == "images"
    with pytest.raises(BadInput, match="no data set reads photos"):
        chosen_set("photos", broken, 3)


def test_what_to_do_about_unequal_shapes_is_told_by_the_data_sets_that_read(bundled, toys):
    assert "images:path=FOLDER:channels=1, may make them alike" in how_to_read(bundled, 1)
    assert how_to_read(toys(), 1) == ""
