import math

import pytest
import torch

from ganbench.randomness import LatentSpace, Noise, Streams, seeded_globally, stream, stream_seed

CPU = torch.device("cpu")


def test_stream_seeds_are_half_the_first_64_bits_of_a_sha256():
    """From `printf 0/init | sha256sum` and `printf 7/data | sha256sum`."""
    assert stream_seed(0, "init") == 0x2A29A3E290B9715C // 2
    assert stream_seed(7, "data") == 0x759B9B28A1D7DF3B // 2


def test_streams_differ_by_seed_and_by_name():
    seeds = {stream_seed(seed, name) for seed in range(20) for name in ("init", "data", "penalty")}
    assert len(seeds) == 60
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_stream_starts_at_its_start():
    one, two = (stream(3, "data", CPU) for _ in range(2))
    assert torch.equal(torch.rand(5, generator=one), torch.rand(5, generator=two))


def test_a_runs_streams_are_reproducible():
    one, two = (Streams(3, LatentSpace(4), CPU) for _ in range(2))
    assert torch.equal(one.discriminator_latents(5), two.discriminator_latents(5))
    assert torch.equal(one.generator_latents(5), two.generator_latents(5))
    like = torch.empty(5, 2)
    for noise in ("discriminator_noise", "generator_noise"):
        first, second = (getattr(streams, noise).normal_like(like) for streams in (one, two))
        assert torch.equal(first, second)


def test_drawing_from_one_stream_shifts_no_other():
    quiet, busy = (Streams(3, LatentSpace(4), CPU) for _ in range(2))
    for _ in range(3):
        busy.discriminator_latents(7)
        busy.discriminator_noise.uniform_like(torch.empty(9))
    assert torch.equal(quiet.generator_latents(5), busy.generator_latents(5))
    assert not torch.equal(quiet.discriminator_latents(5), busy.discriminator_latents(5))


def test_latents_are_standard_normal_and_the_players_unrelated():
    streams = Streams(0, LatentSpace(1), CPU)
    count = 20_000
    latents = torch.cat(
        [streams.discriminator_latents(count), streams.generator_latents(count)], dim=1
    ).double()
    # Five standard errors: 1/sqrt(n) of a mean and a correlation, sqrt(2/n) of a variance.
    assert latents.mean(0).abs().max() < 5 / math.sqrt(count)
    assert (latents.var(0) - 1).abs().max() < 5 * math.sqrt(2 / count)
    assert abs(float(latents.T.corrcoef()[0, 1])) < 5 / math.sqrt(count)


def test_seeded_globally_is_a_stream_and_leaves_the_generator_as_it_was():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with seeded_globally(3, "init"):
        inside = torch.rand(4)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(inside, torch.rand(4, generator=stream(3, "init", CPU)))


def test_seeded_globally_restores_after_an_exception_too():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), seeded_globally(3, "init"):
        torch.rand(4).reshape(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_drawn_before_does_not_matter_inside():
    torch.manual_seed(1)
    with seeded_globally(3, "init"):
        one = torch.rand(4)
    torch.rand(100)
    with seeded_globally(3, "init"):
        assert torch.equal(torch.rand(4), one)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4, 5)])
def test_noise_has_the_shape_of_its_use(shape):
    noise, images = Noise(stream(0, "penalty", CPU)), torch.empty(shape)
    per_image = noise.uniform_like_batch(images)
    assert per_image.shape == (6, *[1] * (len(shape) - 1))
    assert len(per_image.unique()) == 6
    assert noise.uniform_like(images).shape == shape
    assert noise.normal_like(images).shape == shape


def test_noise_has_its_distribution():
    noise, many = Noise(stream(0, "penalty", CPU)), torch.empty(40_000, 1)
    for uniform in (noise.uniform_like(many), noise.uniform_like_batch(many)):
        assert float(uniform.min()) >= 0
        assert float(uniform.max()) < 1
        assert abs(float(uniform.mean()) - 0.5) < 5 * math.sqrt(1 / 12 / 40_000)
    normal = noise.normal_like(many)
    assert abs(float(normal.mean())) < 5 / math.sqrt(40_000)
    assert abs(float(normal.var()) - 1) < 5 * math.sqrt(2 / 40_000)


def test_the_global_generator_is_never_touched():
    before = torch.get_rng_state()
    streams = Streams(0, LatentSpace(2), CPU)
    streams.discriminator_latents(3)
    streams.generator_latents(3)
    streams.discriminator_noise.uniform_like(torch.empty(3))
    streams.discriminator_noise.uniform_like_batch(torch.empty(3))
    streams.discriminator_noise.normal_like(torch.empty(3))
    assert torch.equal(torch.get_rng_state(), before)


def test_uniform_latents_lie_between_minus_one_and_one():
    drawn = LatentSpace(2, "uniform").draw(20_000, torch.Generator().manual_seed(0))
    assert drawn.shape == (20_000, 2)
    assert drawn.abs().max() <= 1
    assert drawn.mean().item() == pytest.approx(0, abs=0.02)
    assert drawn.var().item() == pytest.approx(1 / 3, rel=0.02)


def test_restored_streams_go_on_where_they_were():
    original, other = Streams(0, LatentSpace(3), CPU), Streams(1, LatentSpace(3), CPU)
    like = torch.empty(4)
    original.discriminator_latents(2)
    original.generator_noise.normal_like(like)
    other.restore(original.state())
    assert torch.equal(original.discriminator_latents(5), other.discriminator_latents(5))
    assert torch.equal(original.generator_latents(5), other.generator_latents(5))
    for noise in ("discriminator_noise", "generator_noise"):
        first, second = (getattr(streams, noise).normal_like(like) for streams in (original, other))
        assert torch.equal(first, second)
