import math
from typing import ClassVar

import pytest
import torch
from torch import nn

from ganbench.data import Data
from ganbench.evaluation import Column, Evaluator, NotFinite, columns, evaluation_latents
from ganbench.objective import ContractBroken

CPU = torch.device("cpu")
POINTS = Data(torch.zeros(5, 2), "all")
IMAGES = Data(torch.zeros(5, 1, 2, 2, dtype=torch.uint8), "train")


class Keeping:
    """A metric that keeps what it sees: its values are a count and a mean."""

    version = 1
    directions: ClassVar[dict[str, str]] = {"count": "higher", "mean": "lower"}
    settings = ("net", "uint8")

    def __init__(self) -> None:
        self.started = 0
        self.seen: list[list[torch.Tensor]] = [[]]

    def check(self, reference):
        pass

    def start(self, reference, device):
        self.started += 1

    def update(self, samples):
        self.seen[-1].append(samples)

    def result(self):
        everything = torch.cat(self.seen[-1]).double()
        self.seen.append([])
        return {"count": len(everything), "mean": float(everything.mean())}


class Copying(nn.Module):
    """G(z) = z + shift, with the modes that it was called in."""

    def __init__(self, shape: tuple[int, ...] = (2,), shift: float = 0.0) -> None:
        super().__init__()
        self.shape, self.shift = shape, shift
        self.modes: list[bool] = []

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        assert not torch.is_grad_enabled()
        self.modes.append(self.training)
        return (latents + self.shift).reshape(-1, *self.shape)


def evaluator(metrics, samples=50, data=POINTS, seed=0, latent_size=2) -> Evaluator:
    latents = torch.randn(samples, latent_size, generator=evaluation_latents(seed))
    return Evaluator(metrics, data, latents, CPU)


@pytest.mark.parametrize("samples", [2, 499, 500, 501, 1203])
def test_exactly_n_fakes_are_scored_whatever_the_chunks(samples):
    metric = Keeping()
    values = evaluator([metric], samples).evaluate(Copying())
    assert sum(map(len, metric.seen[0])) == samples
    assert values[f"count[n={samples},all,net,uint8]"] == samples


def test_the_values_are_of_the_fakes():
    metric = Keeping()
    first = evaluator([metric], 600).evaluate(Copying(shift=0.0))
    fakes = torch.cat(metric.seen[0])
    expected = torch.randn(600, 2, generator=evaluation_latents(0))
    assert torch.equal(fakes, expected)
    assert first["mean[n=600,all,net,uint8]"] == pytest.approx(float(expected.mean()), abs=1e-7)


def test_every_evaluation_and_every_loss_sees_the_same_latents():
    one, two = Keeping(), Keeping()
    first = evaluator([one], 600)
    first.evaluate(Copying())
    torch.manual_seed(99)
    torch.rand(7)
    first.evaluate(Copying())
    evaluator([two], 600).evaluate(Copying())
    assert torch.equal(torch.cat(one.seen[0]), torch.cat(one.seen[1]))
    assert torch.equal(torch.cat(one.seen[0]), torch.cat(two.seen[0]))


def test_another_seed_sees_other_latents():
    one, two = Keeping(), Keeping()
    evaluator([one], seed=0).evaluate(Copying())
    evaluator([two], seed=1).evaluate(Copying())
    assert not torch.equal(torch.cat(one.seen[0]), torch.cat(two.seen[0]))


def test_an_evaluation_disturbs_no_global_generator():
    before = torch.get_rng_state()
    evaluator([Keeping()]).evaluate(Copying())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("training", [True, False])
def test_g_is_in_evaluation_mode_and_afterwards_as_before(training):
    generator = Copying().train(training)
    evaluator([Keeping()], 1203).evaluate(generator)
    assert generator.modes == [False] * 3
    assert generator.training is training
    assert torch.is_grad_enabled()


def test_batch_norm_keeps_its_statistics():
    generator = nn.BatchNorm1d(2)
    evaluator([Keeping()]).evaluate(generator)
    assert torch.equal(generator.running_mean, torch.zeros(2))
    assert int(generator.num_batches_tracked) == 0


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_fakes_that_are_no_numbers_are_refused(poison):
    generator = Copying(shift=poison)
    with pytest.raises(NotFinite):
        evaluator([Keeping()]).evaluate(generator)
    assert generator.training
    assert torch.is_grad_enabled()


def test_one_bad_value_is_enough():
    class Poisoned(nn.Module):
        def forward(self, latents):
            latents = latents.clone()
            latents[-1, -1] = math.nan
            return latents

    with pytest.raises(NotFinite):
        evaluator([Keeping()], 501).evaluate(Poisoned())


def test_images_are_scored_as_bytes_and_points_as_floats():
    of_images, of_points = Keeping(), Keeping()
    # G makes 0 everywhere, which is 127.5 and rounds up to 128.
    zero = nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (1, 2, 2)))
    nn.init.zeros_(zero[0].weight)
    nn.init.zeros_(zero[0].bias)
    values = evaluator([of_images], data=IMAGES, latent_size=4).evaluate(zero)
    assert {batch.dtype for batch in of_images.seen[0]} == {torch.uint8}
    assert values["mean[n=50,train,net,uint8]"] == 128.0
    evaluator([of_points]).evaluate(Copying().double())
    assert {batch.dtype for batch in of_points.seen[0]} == {torch.float32}


def test_a_columns_name_says_all_that_its_number_depends_on():
    assert columns(Keeping(), 2000, "train") == {
        "count": Column("count[n=2000,train,net,uint8]", "higher"),
        "mean": Column("mean[n=2000,train,net,uint8]", "lower"),
    }


def test_columns_are_in_order_the_headline_first():
    class Other(Keeping):
        directions: ClassVar[dict[str, str]] = {"kid": "lower"}
        settings = ()

        def result(self):
            return {"kid": 0.5}

    both = evaluator([Other(), Keeping()])
    names = ["kid[n=50,all]", "count[n=50,all,net,uint8]", "mean[n=50,all,net,uint8]"]
    assert [column.name for column in both.columns] == names
    assert list(both.evaluate(Copying())) == names


def test_metrics_are_started_once_a_run():
    metric = Keeping()
    some = evaluator([metric])
    some.evaluate(Copying())
    some.evaluate(Copying())
    assert metric.started == 1


@pytest.mark.parametrize(
    ("data", "shape", "count"), [(IMAGES, (1, 2, 2), 64), (POINTS, (4,), 2000)]
)
def test_a_picture_is_of_the_first_fakes(data, shape, count):
    metric = Keeping()
    some = evaluator([metric], 2500, data, latent_size=4)
    some.evaluate(Copying(shape))
    picture = some.picture(Copying(shape))
    assert torch.equal(picture, torch.cat(metric.seen[0])[:count])
    assert len(picture) == count


def test_a_picture_shows_no_more_than_there_are():
    assert len(evaluator([Keeping()], 50).picture(Copying())) == 50


def test_a_metric_whose_result_has_other_names_breaks_its_contract():
    class Misnamed(Keeping):
        def result(self):
            return {"fdd": 1.0}

    with pytest.raises(ContractBroken, match=r"Misnamed .*fdd"):
        evaluator([Misnamed()]).evaluate(Copying())
