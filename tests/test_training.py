"""Algorithm 1, to the letter: who moves when, on what, and what stays still."""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import torch
from torch import nn

from ganbench.averaging import MovingAverage
from ganbench.errors import ContractBroken
from ganbench.objective import Objective, Step
from ganbench.randomness import LatentSpace, Streams
from ganbench.training import Game, Player, train, value_function
from ganbench_plugins.losses.minimax import Minimax
from ganbench_plugins.losses.non_saturating import NonSaturating
from ganbench_plugins.schedules.k_step import KStep

BATCH = 16


class Spy(nn.Module):
    """A network that notes its inputs and outputs, and who could move when it was called."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.calls = []

    def forward(self, x):
        out = self.network(x)
        trainable = all(p.requires_grad for p in self.network.parameters())
        self.calls.append((x.detach().clone(), out.requires_grad, trainable))
        return out


class RealInGeneratorStep(NonSaturating):
    needs_real_in_generator_step = True

    def __init__(self):
        object.__setattr__(self, "seen", [])

    def generator_loss(self, fake, real=None):
        self.seen.append(real)
        return super().generator_loss(fake) + 0 * real.mean()


def real_batches(scale=1.0):
    count = 0
    while True:
        count += 1
        yield torch.full((BATCH, 2), scale * count)


def game(loss=None, discriminator=None, optimizer=None):
    torch.manual_seed(0)
    generator = Spy(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)))
    discriminator = Spy(
        discriminator or nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    )
    optimizer = optimizer or (lambda p: torch.optim.SGD(p, lr=0.1))
    return Game(
        generator=Player(generator, optimizer(generator.parameters())),
        discriminator=Player(discriminator, optimizer(discriminator.parameters())),
        objective=Objective(loss or Minimax()),
        streams=Streams(0, LatentSpace(3), torch.device("cpu")),
        batch_size=BATCH,
        batches=real_batches(),
        generator_batches=real_batches(-1.0),
    )


def weights(player):
    return [p.detach().clone() for p in player.network.parameters()]


def same(before, after):
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_only_d_moves_in_its_step_and_only_g_in_its():
    played = game()
    g, d = weights(played.generator), weights(played.discriminator)
    played.discriminator_step()
    assert same(g, weights(played.generator))
    assert not same(d, weights(played.discriminator))
    d = weights(played.discriminator)
    played.generator_step()
    assert same(d, weights(played.discriminator))
    assert not same(g, weights(played.generator))


def test_k_steps_of_d_then_one_of_g_in_every_round():
    played = game()
    rounds = train(played, KStep(k=3))
    first, second = next(rounds), next(rounds)
    assert [len(first.discriminator), len(second.discriminator)] == [3, 3]
    # A call of G without a graph is D's step; one with a graph is G's own.
    assert [graph for _, graph, _ in played.generator.network.calls] == [False] * 3 + [True] + [
        False
    ] * 3 + [True]


def test_every_d_step_has_a_fresh_real_batch_and_every_step_fresh_noise():
    played = game()
    rounds = train(played, KStep(k=2))
    for _ in range(3):
        next(rounds)
    latents = [x for x, _, _ in played.generator.network.calls]
    assert len(latents) == 9
    assert len({tuple(x.flatten().tolist()) for x in latents}) == 9
    calls = [x for x, _, _ in played.discriminator.network.calls]
    batches = [x[0, 0].item() for x in calls if (x == x[0, 0]).all()]
    assert batches == [1, 2, 3, 4, 5, 6]


def test_the_fakes_of_a_d_step_carry_no_graph_and_a_g_step_leaves_no_gradient_on_d():
    played = game()
    played.discriminator_step()
    assert all(p.grad is None for p in played.generator.network.parameters())
    for p in played.discriminator.network.parameters():
        p.grad = None
    played.generator_step()
    assert all(p.grad is None for p in played.discriminator.network.parameters())
    trainable = [trainable for _, _, trainable in played.discriminator.network.calls]
    assert trainable == [True, True, False]
    assert all(p.requires_grad for p in played.discriminator.network.parameters())


def test_a_parameter_that_its_author_froze_stays_frozen():
    played = game()
    fixed = next(iter(played.discriminator.network.parameters()))
    fixed.requires_grad_(False)
    played.generator_step()
    assert not fixed.requires_grad


def test_one_sgd_step_each_is_the_papers_update():
    """D(x) = sigmoid(w.x) and G(z) = b, by hand: w += lr dV/dw, then b -= lr d log(1 - D)/db."""

    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.b = nn.Parameter(torch.tensor([0.5, -1.0]))

        def forward(self, z):
            return self.b.expand(len(z), 2)

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([0.3, 0.2]))

        def forward(self, x):
            return x @ self.w

    sgd = {
        "generator": Player(g := Constant(), torch.optim.SGD(g.parameters(), lr=0.1)),
        "discriminator": Player(d := Linear(), torch.optim.SGD(d.parameters(), lr=0.1)),
    }
    played = Game(
        **sgd,
        objective=Objective(Minimax()),
        streams=Streams(0, LatentSpace(3), torch.device("cpu")),
        batch_size=BATCH,
        batches=real_batches(),
        generator_batches=real_batches(),
    )
    next(train(played, KStep(k=1)))

    def sigmoid(t):
        return 1 / (1 + math.exp(-t))

    x, b, w = (1.0, 1.0), (0.5, -1.0), (0.3, 0.2)
    real, fake = sigmoid(w[0] + w[1]), sigmoid(w[0] * b[0] + w[1] * b[1])
    w = tuple(w[i] + 0.1 * ((1 - real) * x[i] - fake * b[i]) for i in range(2))
    fake = sigmoid(w[0] * b[0] + w[1] * b[1])
    b = tuple(b[i] + 0.1 * fake * w[i] for i in range(2))
    assert d.w.tolist() == pytest.approx(w, rel=1e-6)
    assert g.b.tolist() == pytest.approx(b, rel=1e-6)


def test_a_loss_that_needs_real_images_in_gs_step_gets_them_from_a_stream_of_its_own():
    loss = RealInGeneratorStep()
    played = game(loss)
    rounds = train(played, KStep(k=1))
    next(rounds)
    next(rounds)
    assert [logits.shape for logits in loss.seen] == [(BATCH,), (BATCH,)]
    shown = [x[0, 0].item() for x, _, _ in played.discriminator.network.calls]
    assert [x for x in shown if x in (1.0, 2.0)] == [1.0, 2.0]  # D's own batches are not shifted
    assert [x for x in shown if x in (-1.0, -2.0)] == [-1.0, -2.0]


def test_d_sees_real_and_fake_apart_so_that_batch_norm_is_the_papers():
    played = game(discriminator=nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1),
                                              nn.Flatten(0)))  # fmt: skip
    played.discriminator_step()
    assert [len(x) for x, _, _ in played.discriminator.network.calls] == [BATCH, BATCH]


def test_v_is_the_papers_equation_1():
    real, fake = torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 3.0])

    def log_sigmoid(t):
        return -math.log1p(math.exp(-t))

    expected = (log_sigmoid(0) + log_sigmoid(2)) / 2 + (log_sigmoid(1) + log_sigmoid(-3)) / 2
    assert value_function(real, fake).item() == pytest.approx(expected, rel=1e-6)
    assert value_function(torch.zeros(4), torch.zeros(4)).item() == pytest.approx(-math.log(4))


def test_minimax_d_loss_is_minus_v_in_a_real_round():
    terms = next(train(game(), KStep(k=1))).discriminator[0]
    assert terms.loss.item() == pytest.approx(-value_function(terms.real, terms.fake).item())


def test_d_learns_the_optimal_discriminator_of_two_normals():
    """With G fixed, D's logit tends to log p/q: for N(1, 1) and N(-1, 1) that is 2x."""
    torch.manual_seed(0)
    d = nn.Linear(1, 1)
    player = Player(nn.Sequential(d, nn.Flatten(0)), torch.optim.Adam(d.parameters(), 0.02))
    objective = Objective(Minimax())
    streams = Streams(0, LatentSpace(1), torch.device("cpu"))
    for _ in range(1500):
        real, fake = torch.randn(256, 1) + 1, torch.randn(256, 1) - 1
        noise = streams.discriminator_noise
        step = Step(player.network, None, None, real, fake, noise, noise, 0)
        player.descend(objective.discriminator_terms(step).loss)
    assert d.weight.item() == pytest.approx(2.0, abs=0.2)
    assert d.bias.item() == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize("moves", [-1, 1.5, None])
def test_a_schedule_has_to_return_a_count(moves):
    class Odd(KStep):
        def discriminator_steps(self, generator_step):
            return moves

    with pytest.raises(ContractBroken, match=f"Odd has to return a count of steps, not {moves}"):
        next(train(game(), Odd()))


def test_a_loss_without_a_graph_is_refused_before_it_does_nothing():
    class Detached(NonSaturating):
        def generator_loss(self, fake, real=None):
            return super().generator_loss(fake).detach()

    with pytest.raises(ContractBroken, match="Detached has to return a loss that depends on"):
        game(Detached()).generator_step()


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_loss_that_no_network_descends_is_refused(player):
    class Elsewhere(Minimax):
        def discriminator_loss(self, real, fake):
            return torch.zeros((), requires_grad=True)

        def generator_loss(self, fake, real=None):
            return torch.zeros((), requires_grad=True)

    message = "Elsewhere has to return a loss that depends on the logits: no gradient reached"
    with pytest.raises(ContractBroken, match=message):
        getattr(game(Elsewhere()), f"{player}_step")()


def test_a_schedule_may_not_change_the_logits_that_it_is_shown():
    class Tampering(KStep):
        def accepts(self, real, fake):
            fake.zero_()
            return True

    with pytest.raises(ContractBroken, match="Tampering changes its input in place"):
        next(train(game(), Tampering()))


def test_a_schedule_may_decline_a_step_after_seeing_its_logits():
    class Sparing(KStep):
        seen: ClassVar = []

        def accepts(self, real, fake):
            self.seen.append((real, fake))
            return len(self.seen) % 2 == 0

    played = game()
    before = weights(played.discriminator)
    declined = next(rounds := train(played, Sparing(k=1))).discriminator[0]
    assert not declined.moved
    assert same(before, weights(played.discriminator))
    assert played.discriminator_steps == 0
    accepted = next(rounds).discriminator[0]
    assert accepted.moved
    assert not same(before, weights(played.discriminator))
    assert played.discriminator_steps == 1
    assert torch.equal(Sparing.seen[0][0], declined.real)
    assert not Sparing.seen[0][0].requires_grad


def test_penalties_and_selections_are_told_the_players_own_step():
    @dataclass
    class Noting:
        steps: list = field(default_factory=list)

        def strength(self, discriminator_step):
            self.steps.append(("D", discriminator_step))
            return 0.0

        def __call__(self, discriminator, real, fake, noise):
            raise AssertionError

        def select(self, fake, generator_step):
            self.steps.append(("G", generator_step))
            return fake

    noting = Noting()
    played = game()
    played.objective = Objective(Minimax(), [noting])
    rounds = train(played, KStep(k=2))
    next(rounds), next(rounds)
    assert list(dict.fromkeys(noting.steps)) == [
        ("D", 0), ("D", 1), ("G", 0), ("D", 2), ("D", 3), ("G", 1),
    ]  # fmt: skip


def test_what_is_sampled_from_is_g_itself_or_its_moving_average():
    played = game()
    assert played.sampler is played.generator.network
    played.average = MovingAverage(played.generator.network, 1.0, 0.0)
    first = weights(played.generator)
    played.generator_step()
    averaged = [p.detach() for p in played.sampler.parameters()]
    decay = 0.5 ** (BATCH / 1000)
    for before, after, mean in zip(first, weights(played.generator), averaged, strict=True):
        torch.testing.assert_close(mean, decay * before + (1 - decay) * after)


def test_learning_rates_are_scaled_from_where_they_started():
    played = game()
    for scale in (1.0, 0.5, 0.25):
        played.scale_lr(scale)
        for player in (played.generator, played.discriminator):
            assert player.optimizer.param_groups[0]["lr"] == 0.1 * scale


def test_noise_of_a_g_step_does_not_shift_that_of_ds():
    class Noisy:
        def augment(self, images, noise):
            drawn.append(noise.normal_like(images))
            return images

    def of_discriminator(generator_steps):
        drawn.clear()
        played = game()
        played.objective = Objective(Minimax(), [Noisy()])
        for _ in range(generator_steps):
            played.generator_step()
        drawn.clear()
        played.discriminator_step()
        return torch.cat(drawn)

    drawn: list = []
    assert torch.equal(of_discriminator(0), of_discriminator(3))


@pytest.mark.parametrize("verdict", [None, 1, torch.tensor(True)], ids=str)
def test_a_schedule_has_to_accept_or_not(verdict):
    class Unsure(KStep):
        def accepts(self, real, fake):
            return verdict

    with pytest.raises(ContractBroken, match="Unsure has to accept or not"):
        next(train(game(), Unsure()))


def test_what_penalties_draw_does_not_shift_augmentations():
    class Noisy:
        def augment(self, images, noise):
            drawn.append(noise.normal_like(images))
            return images

    class Drawing:
        def __call__(self, discriminator, real, fake, noise):
            return 0 * noise.normal_like(real).sum()

    def augmented(*additions):
        drawn.clear()
        played = game()
        played.objective = Objective(Minimax(), additions)
        for _ in range(3):
            played.discriminator_step()
        return torch.cat(drawn)

    drawn: list = []
    assert torch.equal(augmented(Noisy()), augmented(Noisy(), Drawing()))
