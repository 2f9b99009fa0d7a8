"""Runs pair by seed, and looking does not change what is looked at."""

import pytest
import torch

from ganbench import play, runner
from ganbench.assembly import assemble
from ganbench.executors.job import PluginChoice
from ganbench.planning import load, plan
from ganbench.plugins import discover
from ganbench.randomness import random_state_kept
from ganbench.request import Request, Setup
from ganbench.store import Outcome, Store
from ganbench.training import train

CPU = torch.device("cpu")


@pytest.fixture
def planned(tmp_path):
    """Plan experiments on the real digits, and load the data they share."""

    def make(**request):
        setup = Setup(tmp_path / "store", tmp_path / "data", "cpu", plugins=PluginChoice())
        request = {"losses": "minimax,nonsat", "seeds": 1, **request}
        experiments = plan(Request(**request), setup, discover())
        return experiments, load(experiments[0].dataset, tmp_path / "data")

    return make


def equal(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_two_losses_start_from_the_same_weights(planned):
    (minimax, nonsat), data = planned()
    a, b = assemble(minimax, data, CPU), assemble(nonsat, data, CPU)
    assert equal(a.generator.network, b.generator.network)
    assert equal(a.discriminator.network, b.discriminator.network)


def test_two_losses_see_the_same_batches_and_latents_also_after_training_apart(planned):
    (minimax, nonsat), data = planned()
    games = [assemble(experiment, data, CPU) for experiment in (minimax, nonsat)]
    for game in games:
        rounds = train(game, minimax.schedule.create())
        for _ in range(5):
            next(rounds)
    a, b = games
    assert not equal(a.generator.network, b.generator.network)
    for _ in range(40):  # beyond one pass over the data
        assert torch.equal(next(a.batches), next(b.batches))
        assert torch.equal(a.streams.discriminator_latents(8), b.streams.discriminator_latents(8))
        assert torch.equal(a.streams.generator_latents(8), b.streams.generator_latents(8))


def test_another_seed_is_another_start(planned):
    experiments, data = planned(losses="nonsat", seeds=2)
    a, b = (assemble(experiment, data, CPU) for experiment in experiments)
    assert not equal(a.generator.network, b.generator.network)
    assert not torch.equal(next(a.batches), next(b.batches))
    assert not torch.equal(a.streams.generator_latents(8), b.streams.generator_latents(8))


def test_the_generators_latents_do_not_depend_on_k(planned):
    experiments, data = planned(losses="nonsat", schedules="k-step:k=1,k-step:k=3")
    games = []
    for experiment in experiments:
        game = assemble(experiment, data, CPU)
        next(train(game, experiment.schedule.create()))
        games.append(game)
    a, b = games
    assert torch.equal(a.streams.generator_latents(8), b.streams.generator_latents(8))
    assert not torch.equal(next(a.batches), next(b.batches))


def test_assembling_leaves_the_global_random_state_alone(planned):
    (minimax, _), data = planned()
    before = torch.random.get_rng_state()
    assemble(minimax, data, CPU)
    assert torch.equal(before, torch.random.get_rng_state())


def finished_networks(experiment, data, folder, monkeypatch):
    games = []

    def remembering(*arguments):
        games.append(assemble(*arguments))
        return games[-1]

    monkeypatch.setattr(play, "assemble", remembering)
    folder.plan(experiment.recipe())
    assert runner.run(experiment, data, CPU, folder) is Outcome.COMPLETED
    return games[-1].generator.network, games[-1].discriminator.network


def test_evaluating_more_often_does_not_change_the_trained_weights_by_a_bit(
    planned, tmp_path, monkeypatch
):
    (rarely,), data = planned(losses="nonsat", protocol="quick:budget=2kimg:evaluations=1")
    (often,), _ = planned(losses="nonsat", protocol="quick:budget=2kimg:evaluations=8")
    store = Store(tmp_path / "store", create=True)
    torch.manual_seed(1)
    first = finished_networks(rarely, data, store.run(rarely.key), monkeypatch)
    torch.manual_seed(2)
    second = finished_networks(often, data, store.run(often.key), monkeypatch)
    evaluations = [
        sum(event["event"] == "evaluated" for event in store.run(e.key).events())
        for e in (rarely, often)
    ]
    assert evaluations == [2, 9]
    assert all(equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU on this machine")
def test_a_gpu_starts_from_the_same_weights_and_batches_as_a_cpu(planned):
    (minimax, _), data = planned()
    a, b = assemble(minimax, data, CPU), assemble(minimax, data, torch.device("cuda"))
    assert equal(a.generator.network, b.generator.network.cpu())
    assert torch.equal(next(a.batches), next(b.batches).cpu())


def test_what_networks_draw_while_they_train_pairs_too(planned, monkeypatch):
    """Dropout in D: the same masks for both losses and on every day."""
    (minimax, nonsat), data = planned()
    masks = []
    for experiment in (minimax, nonsat):
        torch.manual_seed(len(masks))  # whatever was drawn before
        assemble(experiment, data, CPU)
        masks.append(torch.nn.functional.dropout(torch.ones(64)))
    assert torch.equal(*masks)


def test_an_evaluation_that_draws_does_not_shift_the_training(planned, tmp_path):
    before = torch.random.get_rng_state()
    with random_state_kept(CPU):
        torch.rand(5)
    assert torch.equal(before, torch.random.get_rng_state())
