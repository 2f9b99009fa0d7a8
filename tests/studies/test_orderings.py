"""Orderings that the literature reports, on data whose modes can be counted.

Each study trains for minutes; `results/reference/orderings.md` has what they gave.
"""

import pytest

import ganbench

UNREGULARISED, R1, R3GAN = "nonsat", "nonsat+r1:gamma=0.1", "rpgan+r1:gamma=0.1+r2:gamma=0.1"


def covered(tmp_path, dataset, protocol="points", **asked):
    """The mean number of modes covered in the end, by objective."""
    losses = [UNREGULARISED, R1, R3GAN]
    results = ganbench.run(losses, dataset, seeds=3, protocol=protocol, store=tmp_path, **asked)
    runs = results.runs()
    assert (runs["outcome"] == "completed").all()
    return runs.groupby("loss")["final"].mean()


@pytest.mark.study
def test_on_the_grid_rpgan_with_r1_and_r2_covers_most_and_no_regularisation_least(tmp_path):
    modes = covered(tmp_path, "grid")
    assert modes[R3GAN] > modes[R1] > modes[UNREGULARISED]
    assert modes[R3GAN] >= 24


@pytest.mark.study
def test_on_the_ring_all_of_them_cover_all_modes(tmp_path):
    assert (covered(tmp_path, "ring") == 8).all()


@pytest.mark.study
def test_on_a_small_budget_rpgan_with_r1_and_r2_finds_most_of_a_thousand_modes(
    tmp_path, real_mnist
):
    modes = covered(
        tmp_path,
        "stacked-mnist",
        "quick:evaluation_samples=26000:evaluations=1:beta1=0:beta2=0.99"
        ":generator_lr=2e-4:discriminator_lr=2e-4:budget=80kimg",
        architectures="dcgan:width=16:discriminator_norm=none",
        data_folder=real_mnist,
    )
    assert modes[R3GAN] > 800
    assert modes[R3GAN] > 2 * modes[R1]
    assert modes[R3GAN] > 2 * modes[UNREGULARISED]


@pytest.mark.study
def test_every_loss_and_recipe_trains_on_the_ring_in_one_command(tmp_path):
    results = ganbench.run("all", "ring", seeds=1, budget="5kimg", store=tmp_path)
    runs = results.runs()
    assert len(runs) >= 27
    assert (runs["outcome"] == "completed").all()
    assert results.table()["images_per_second"].notna().all()
