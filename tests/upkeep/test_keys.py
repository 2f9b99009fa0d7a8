"""Keys made of recipes are those that runs are planned with."""

import pytest

from ganbench.planning import plan
from ganbench.request import Request, Setup
from ganbench.upkeep import keys

REQUESTS = {
    "points": Request("nonsat+gp:every=2", "ring"),
    "images": Request("wgan,hinge", "digits", schedules="k-step:k=1,wgan-warm-up"),
    "recommended": Request("all", "grid", rules="recommended"),
    "features": Request("nonsat", "digits", metrics="fd,precision-recall", extractors="raw"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_planned_recipe_is_sound(bundled, tmp_path, name):
    experiments = plan(REQUESTS[name], Setup(tmp_path / "s", tmp_path / "d", "cpu"), bundled)
    assert experiments
    assert all(keys.is_sound(experiment.recipe()) for experiment in experiments)


@pytest.fixture
def recipe(bundled, tmp_path):
    """One with data that lie in a folder, which may move."""
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for place in range(9):
        Image.new("L", (8, 8), place).save(folder / f"{place}.png")
    request = Request(
        "nonsat", f"images:path={folder}:size=8:channels=1", architectures="dcgan",
        metrics="fd", extractors="raw", protocol="quick:evaluation_samples=9",
    )  # fmt: skip
    experiment, *_ = plan(request, Setup(tmp_path / "s", tmp_path / "d", "cpu"), bundled)
    return experiment.recipe()


def test_where_data_lie_is_no_part_of_a_key(recipe):
    assert keys.is_sound(recipe)
    recipe["dataset"]["fields"]["path"] = "/moved"
    assert keys.is_sound(recipe)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(seed=1),
        lambda r: r.update(harness=1),
        lambda r: r.update(machine="m"),
        lambda r: r["dataset"].update(fingerprint="f"),
        lambda r: r["dataset"]["fields"].update(size="9"),
        lambda r: r["dataset"]["fields"].pop("size"),
        lambda r: r["loss"].update(version=2),
        lambda r: r["penalties"].append(r["loss"]),
        lambda r: r["metrics"][0].update(settings=[]),
        lambda r: r["metrics"][0]["extractor"].update(name="e"),
        lambda r: r["metrics"][0].update(extractor=None),
        lambda r: r["protocol"]["fields"].update(batch_size="8"),
    ],
)
def test_whatever_else_is_changed_is_seen(recipe, change):
    change(recipe)
    assert not keys.is_sound(recipe)
