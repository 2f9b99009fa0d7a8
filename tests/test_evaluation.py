import math
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn

from ganbench.choices import Choice
from ganbench.data import Data
from ganbench.evaluation import Evaluator, NotFinite, evaluation_latents
from ganbench.reference import References
from ganbench.scores import Scale, Score
from ganbench.scoring import Scorer

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
    nowhere = References(Path("/dev/null"))
    scales = [
        Scale(Score(Choice(None, {}), None, metric.settings), metric, None) for metric in metrics
    ]
    scorer = Scorer(scales, data, samples, CPU, nowhere)
    return Evaluator(scorer, latents, CPU, images=data.is_images)


@pytest.mark.parametrize("samples", [2, 499, 500, 501, 1203])
def test_exactly_n_fakes_are_scored_whatever_the_chunks(samples):
    metric = Keeping()
    values = evaluator([metric], samples).evaluate(Copying()).estimates
    assert sum(map(len, metric.seen[0])) == samples
    assert values[f"count[n={samples},all:5,net,uint8]"].value == samples


def test_the_values_are_of_the_fakes():
    metric = Keeping()
    first = evaluator([metric], 600).evaluate(Copying(shift=0.0)).estimates
    fakes = torch.cat(metric.seen[0])
    expected = torch.randn(600, 2, generator=evaluation_latents(0))
    assert torch.equal(fakes, expected)
    assert first["mean[n=600,all:5,net,uint8]"].value == pytest.approx(
        float(expected.mean()), abs=1e-7
    )


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
    values = evaluator([of_images], data=IMAGES, latent_size=4).evaluate(zero).estimates
    assert {batch.dtype for batch in of_images.seen[0]} == {torch.uint8}
    assert values["mean[n=50,train:5,net,uint8]"].value == 128.0
    evaluator([of_points]).evaluate(Copying().double())
    assert {batch.dtype for batch in of_points.seen[0]} == {torch.float32}


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


class Judging(Keeping):
    """A metric that looks at D between the fakes and the result."""

    def judge(self, discriminator, loss):
        assert not torch.is_grad_enabled()
        assert not discriminator.training
        self.judged = (discriminator, loss, len(self.seen[-1]))


def test_a_metric_that_judges_d_gets_it_with_its_loss_after_the_fakes():
    metric, discriminator, loss = Judging(), nn.Linear(2, 1), object()
    evaluator([metric], 1203).evaluate(Copying(), discriminator, loss)
    assert metric.judged == (discriminator, loss, 3)
    assert discriminator.training


@pytest.mark.parametrize(("make", "alike"), [(torch.zeros_like, True), (torch.clone, False)])
def test_a_generator_of_one_image_is_found_out(make, alike):
    class Making(nn.Module):
        def forward(self, latents):
            return make(latents)

    some = evaluator([Keeping()], 1203)
    assert some.evaluate(Making()).alike is alike
    assert some.evaluate(Copying()).alike is False


def test_one_fake_that_differs_is_no_failure():
    class Nearly(nn.Module):
        def forward(self, latents):
            fakes = torch.zeros_like(latents)
            fakes[-1, 0] = len(latents)  # the last chunk is shorter, and so differs too
            return fakes

    assert not evaluator([Keeping()], 501).evaluate(Nearly()).alike


def test_g_works_in_full_precision():
    matmul = torch.backends.cuda.matmul
    found = []

    class Noting(Copying):
        def forward(self, latents):
            found.append(matmul.fp32_precision)
            return super().forward(latents)

    before = matmul.fp32_precision
    matmul.fp32_precision = "tf32"
    try:
        evaluator([Keeping()]).evaluate(Noting())
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before
    assert found == ["ieee"]
