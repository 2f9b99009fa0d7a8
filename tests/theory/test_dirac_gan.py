"""The Dirac-GAN of Mescheder et al. (2018): one number per player, and every orbit known.

The data lie at 0, G puts all its fakes at theta, and D(x) = psi x. Their update moves both
players at once with a step h; ganbench's moves D, then G. The paper's D has larger logits for
fakes, so that its psi is minus this one.

Which Training Methods for GANs do actually Converge? https://arxiv.org/abs/1801.04406
"""

import math
from itertools import islice, repeat

import numpy as np
import pytest
import torch
from torch import nn

from ganbench.randomness import LatentSpace, Streams
from ganbench.training import Game, Player, train
from ganbench_plugins.schedules.k_step import KStep

ORIGIN = (0.0, 0.0)
LOGISTIC = 0.5  # f'(0) of f(t) = -log(1 + exp(-t))


class Delta(nn.Module):
    def __init__(self, theta):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta))

    def forward(self, latents):
        return self.theta.expand(len(latents), 1)


class Line(nn.Module):
    """D(x) = psi x + bias; the paper's D has no bias."""

    def __init__(self, psi, bias=None):
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(psi))
        self.bias = 0.0 if bias is None else nn.Parameter(torch.tensor(bias))

    def forward(self, images):
        return self.psi * images.flatten() + self.bias


class Dirac:
    """A real game of these two, played by gradient descent with `step`.

    Args:
        state: theta and psi, and D's bias if it has one.
    """

    def __init__(self, objective, state, step, batch_size=1):
        theta, *line = state
        self._step = step
        self.game = Game(
            generator=self._player(Delta(theta)),
            discriminator=self._player(Line(*line)),
            objective=objective,
            streams=Streams(0, LatentSpace(1), torch.device("cpu")),
            batch_size=batch_size,
            batches=repeat(torch.zeros(batch_size, 1)),
            generator_batches=repeat(torch.zeros(batch_size, 1)),
        )

    def _player(self, network):
        return Player(network, torch.optim.SGD(network.parameters(), lr=self._step))

    def _parameters(self):
        game = self.game
        return [*game.generator.network.parameters(), *game.discriminator.network.parameters()]

    @property
    def state(self):
        return np.array([p.item() for p in self._parameters()])

    def together(self, steps):
        """Each player answers the other as it was before; the states from the first to the last."""
        states = [self.state]
        for _ in range(steps):
            before = states[-1]
            self.game.discriminator_step()
            after = self.state
            self._restore(before)
            self.game.generator_step()
            after[0] = self.state[0]
            self._restore(after)
            states.append(after)
        return np.array(states)

    def in_turn(self, rounds, k=1):
        """As ganbench trains: k steps of D, then one of G."""
        played = islice(train(self.game, KStep(k)), rounds)
        return np.array([self.state, *(self.state for _ in played)])

    def _restore(self, state):
        with torch.no_grad():
            for parameter, value in zip(self._parameters(), state, strict=True):
                parameter.fill_(value)


def field(objective, state, batch_size=1):
    """Where both players pull, per unit of step."""
    before, after = Dirac(objective, state, 1.0, batch_size).together(1)
    return after - before


def eigenvalues(objective, state, batch_size=1):
    """Of the field's Jacobian, by central differences."""
    columns = []
    for place in range(len(state)):
        ends = [np.array(state), np.array(state)]
        ends[0][place] += 1e-4
        ends[1][place] -= 1e-4
        up, down = (field(objective, end.tolist(), batch_size) for end in ends)
        columns.append((up - down) / 2e-4)
    return in_order(np.linalg.eigvals(np.array(columns).T))


def in_order(values):
    return sorted(map(complex, values), key=lambda z: (round(z.real, 4), round(z.imag, 4)))


def damped(frequency, gamma):
    """The roots of l^2 + gamma l + frequency^2: of the field with a term gamma / 2 psi^2 in D's."""
    root = complex(gamma**2 / 4 - frequency**2) ** 0.5
    return [-gamma / 2 - root, -gamma / 2 + root]


def radii(states):
    return np.hypot(states[:, 0], states[:, 1])


def period(values):
    """Steps between crossings of 0 upwards, from the first to the last, by interpolation."""
    (places,) = np.nonzero((values[:-1] < 0) & (values[1:] >= 0))
    crossings = places - values[places] / (values[places + 1] - values[places])
    assert len(crossings) > 2
    return (crossings[-1] - crossings[0]) / (len(crossings) - 1)


# Loss; D's logit at rest, where it has a bias; f'(0); the eigenvalue of the bias.
# An f-GAN rests at v0 with g_f(v0) = f'(1); it has g_f'(v0) and -g_f'(v0)^2 / f''(1).
# LSGAN rests at (a + b) / 2; it has sqrt((b - a) / 2 (c - (a + b) / 2)) and -2.
LOSSES = [
    ("minimax", 0.0, 1 / 2, -1 / 2),
    ("nonsat", 0.0, 1 / 2, -1 / 2),
    ("wasserstein", 0.0, 1.0, 0.0),
    ("hinge", 0.0, 1.0, 0.0),
    ("lsgan", 1 / 2, 1 / 2, -2.0),
    ("lsgan:a=-1:b=1:c=1", 0.0, 1.0, -2.0),
    ("lsgan:a=-1:b=1:c=0", 0.0, 0.0, -2.0),
    ("rpgan", 0.0, 1 / 2, 0.0),
    ("rpgan:function=least-squares", 0.0, 2.0, 0.0),
    ("rpgan:function=hinge", 0.0, 1.0, 0.0),
    ("ragan", 0.0, 1.0, 0.0),
    ("ragan:function=least-squares", 0.0, 4.0, 0.0),
    ("ragan:function=hinge", 0.0, 2.0, 0.0),
    ("fgan-kl", 1.0, 1.0, -1.0),
    ("fgan-reverse-kl", 0.0, 1.0, -1.0),
    ("fgan-pearson", 0.0, 1.0, -1 / 2),
    ("fgan-neyman", 0.0, 1.0, -1 / 2),
    ("fgan-hellinger", 0.0, 1.0, -2.0),
    ("fgan-js", 0.0, 1 / 2, -1 / 2),
    ("fgan-tv", 0.0, 1 / 2, 0.0),
    ("fgan:divergence=gan", 0.0, 1 / 2, -1 / 2),
    ("fgan:divergence=gan:saturating=false", 0.0, 1 / 2, -1 / 2),
    ("fgan:divergence=pearson:saturating=false", 0.0, 1.0, -1 / 2),
]


@pytest.mark.parametrize(("loss", "bias", "frequency", "of_bias"), LOSSES)
def test_no_loss_alone_draws_the_players_to_rest(objective, agree, loss, bias, frequency, of_bias):
    theory = in_order([-1j * frequency, 1j * frequency, of_bias])
    made = objective(loss)
    assert field(made, (*ORIGIN, bias)) == pytest.approx(0.0, abs=1e-12)
    agree("eigenvalues at rest", loss, eigenvalues(made, (*ORIGIN, bias)), theory, abs=1e-5)


# Objective; f'(0); gamma of the gamma / 2 psi^2 that its additions amount to.
DAMPED = [
    ("minimax+r1:gamma=0.5", LOGISTIC, 0.5),
    ("nonsat+r1:gamma=0.5", LOGISTIC, 0.5),
    ("nonsat+r1:gamma=1", LOGISTIC, 1.0),
    ("nonsat+r1:gamma=3", LOGISTIC, 3.0),
    ("nonsat+r2:gamma=0.5", LOGISTIC, 0.5),
    ("nonsat+r1:gamma=0.5+r2:gamma=0.25", LOGISTIC, 0.75),
    ("rpgan+r1:gamma=1+r2:gamma=1", LOGISTIC, 2.0),
    ("rpgan+r1:gamma=0.25+r2:gamma=0.25", LOGISTIC, 0.5),
    ("ragan+r1:gamma=0.5", 1.0, 0.5),
    ("hinge+r1:gamma=0.5", 1.0, 0.5),
    ("wasserstein+r1:gamma=0.5", 1.0, 0.5),
    ("wasserstein+zero-gp:weight=0.5", 1.0, 1.0),
    ("wasserstein+maxgp:weight=0.5", 1.0, 1.0),
    ("wasserstein+lp:weight=10", 1.0, 0.0),
]


@pytest.mark.parametrize(("text", "frequency", "gamma"), DAMPED)
def test_a_zero_centred_penalty_draws_them_to_rest(objective, agree, text, frequency, gamma):
    """-gamma/2 +- sqrt(gamma^2/4 - f'(0)^2); a one-sided penalty leaves small slopes alone."""
    theory = in_order(damped(frequency, gamma))
    agree("eigenvalues at rest", text, eigenvalues(objective(text), ORIGIN), theory, abs=1e-5)


@pytest.mark.parametrize("std", [0.5, 1.0])
def test_instance_noise_draws_them_to_rest(objective, agree, std):
    """f''(0) std^2 +- sqrt(f''(0)^2 std^4 - f'(0)^2), f''(0) = -1/4; of 50,000 draws."""
    text = f"nonsat+instance-noise:std={std}"
    measured = eigenvalues(objective(text), ORIGIN, batch_size=50_000)
    agree("eigenvalues at rest", text, measured, in_order(damped(LOGISTIC, std**2 / 2)), abs=0.005)


@pytest.mark.parametrize("text", ["wasserstein+gp:weight=10", "nonsat+dragan:weight=10"])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_penalty_for_slope_one_pushes_d_away_from_the_equilibrium(objective, agree, text, side):
    pull = field(objective(text), (0.0, side * 1e-6))[1]
    agree(f"D's pull at psi = {'-+'[side > 0]}0", text, pull, side * 20.0, abs=1e-3)


@pytest.mark.parametrize(
    ("loss", "frequency"),
    [("minimax", LOGISTIC), ("nonsat", LOGISTIC), ("rpgan", LOGISTIC), ("wasserstein", 1.0)],
)
def test_moving_together_spirals_out(objective, agree, loss, frequency):
    """The update's eigenvalues are 1 +- h f'(0) i."""
    step = 0.4
    states = Dirac(objective(loss), (1e-4, 0.0), step).together(200)
    growth = (radii(states)[-1] / radii(states)[0]) ** (1 / 200)
    theory = math.sqrt(1 + (step * frequency) ** 2)
    agree("growth of the radius per step together, h = 0.4", loss, growth, theory, abs=1e-6)
    theory = 2 * math.pi / math.atan(step * frequency)
    agree("steps per turn together, h = 0.4", loss, period(states[:, 0]), theory, rel=0.01)


def test_far_from_rest_minimax_spirals_out_by_its_local_slope(objective):
    """The field is at right angles to the radius, so that r'^2 = r^2 (1 + h^2 f'(theta psi)^2)."""
    step = 0.2
    states = Dirac(objective("minimax"), (1.0, 1.0), step).together(50)
    slopes = 1 / (1 + np.exp(-states[:-1, 0] * states[:-1, 1]))
    growth = (radii(states)[1:] / radii(states)[:-1]) ** 2
    assert growth == pytest.approx(1 + (step * slopes) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "frequency", "k"),
    [("minimax", LOGISTIC, 1), ("nonsat", LOGISTIC, 1), ("wasserstein", 1.0, 1),
     ("wasserstein", 1.0, 5)],
)  # fmt: skip
def test_moving_in_turn_circles(objective, agree, loss, frequency, k):
    """Both eigenvalues are on the unit circle: cos(angle) = 1 - k h^2 f'(0)^2 / 2."""
    step = 0.2
    states = Dirac(objective(loss), (1e-3, 0.0), step).in_turn(300, k)
    angle = math.acos(1 - k * (step * frequency) ** 2 / 2)
    turn = period(states[:, 0])
    agree(f"rounds per turn, h = 0.2, k = {k}", loss, turn, 2 * math.pi / angle, rel=1e-3)
    # A linear map with these eigenvalues keeps to an ellipse.
    first, last = np.abs(states[:100, 0]).max(), np.abs(states[-100:, 0]).max()
    agree(f"last width over first, in turn, h = 0.2, k = {k}", loss, last / first, 1.0, abs=0.01)


def test_from_afar_minimax_circles_and_nonsat_closes_in_ever_more_slowly(objective, agree):
    """For nonsat d/dt r^2 = -2 s tanh(s/2), s = theta psi: about -r^4 / 8 in the mean of a turn.

    For minimax it is 0.
    """
    start, step, rounds = (0.5, 0.0), 0.1, 1200
    r = {
        loss: radii(Dirac(objective(loss), start, step).in_turn(rounds))
        for loss in ("minimax", "nonsat")
    }
    assert r["minimax"] == pytest.approx(0.5, rel=0.03)
    closing = (r["nonsat"][-1] ** -2 - r["nonsat"][0] ** -2) / (rounds * step)
    agree("d(1/r^2)/dt in turn, from r = 1/2", "nonsat", closing, 1 / 8, rel=0.03)


@pytest.mark.parametrize(
    ("text", "gamma"),
    [("nonsat+r1:gamma=0.25", 0.25), ("minimax+r1:gamma=0.5", 0.5), ("nonsat+r2:gamma=0.5", 0.5),
     ("nonsat+r1:gamma=2", 2.0), ("rpgan+r1:gamma=0.25+r2:gamma=0.25", 0.5),
     ("rpgan+r1:gamma=1+r2:gamma=1", 2.0)],
)  # fmt: skip
def test_a_zero_centred_penalty_converges_at_its_rate(objective, agree, text, gamma):
    """The slower of the update's eigenvalues 1 + h l, for l of the field."""
    step, start, steps = 0.1, 200, 450
    slow = max((1 + step * root for root in damped(LOGISTIC, gamma)), key=abs)
    states = Dirac(objective(text), (1.0, 1.0), step).together(steps)
    # An underdamped orbit comes back to the same angle after half a turn.
    half_turn = math.pi / abs(np.angle(slow)) if slow.imag else 50
    span = half_turn * ((steps - start) // half_turn)
    first, last = np.interp([start, start + span], range(steps + 1), np.log(radii(states)))
    rate, theory = (first - last) / span / step, -math.log(abs(slow)) / step
    agree("rate of convergence together, h = 0.1", text, rate, theory, rel=2e-3)
    assert radii(states)[-1] < 1e-2


def test_convergence_is_fastest_at_the_critical_weight(objective):
    """gamma = 2 f'(0): both roots are -f'(0), and theta and psi are (a + b t) exp(-f'(0) t)."""
    step, steps = 0.1, 400

    def last(gamma):
        played = Dirac(objective(f"nonsat+r1:gamma={gamma}"), (1.0, 1.0), step)
        return radii(played.together(steps))

    at, below, above = last(1.0), last(0.5), last(2.0)
    assert at[-1] < below[-1] / 5
    assert at[-1] < above[-1] / 5
    # What is left beside (1 - h / 2)^steps is linear in the steps.
    shares = at[[200, 300, 400]] / (1 - step * LOGISTIC) ** np.array([200, 300, 400])
    assert shares[0] + shares[2] == pytest.approx(2 * shares[1], rel=1e-3)
    assert shares[2] > 1.5 * shares[0]


@pytest.mark.parametrize(("gamma", "every", "converges"), [(0.5, 4, True), (2.0, 16, False)])
def test_a_lazy_penalty_is_every_so_often_a_strong_one(objective, agree, gamma, every, converges):
    """All is linear: after every - 1 steps without it comes one with every * gamma."""
    step, rounds = 0.1, 10
    text = f"wasserstein+r1:gamma={gamma}:every={every}"
    states = Dirac(objective(text), (0.2, 0.1), step).together(rounds * every)
    free = np.array([[1, step], [-step, 1]])
    strong = free - np.diag([0, step * gamma * every])
    cycle = np.linalg.matrix_power(free, every - 1) @ strong
    theory = np.linalg.matrix_power(cycle, rounds) @ states[0]
    assert states[-1] == pytest.approx(theory, rel=1e-9)
    measured = np.log(radii(states)[-1] / radii(states)[0]) / (rounds * every)
    grown = np.log(np.hypot(*theory) / radii(states)[0]) / (rounds * every)
    agree("growth of log r per step together, h = 0.1", text, measured, grown, rel=1e-6)
    assert (measured < 0) == converges


def test_weight_clipping_ends_on_the_circle_of_its_bound(objective, agree):
    """D's slope sticks at the bound until theta turns its sign, and there a circle starts."""
    text, step = "wasserstein:clip=0.5", 0.04
    states = Dirac(objective(text), (1.0, 1.0), step).in_turn(1000)[400:]
    agree("largest theta", text, states[:, 0].max(), 0.5, rel=0.02)
    agree("largest psi", text, states[:, 1].max(), 0.5, rel=0.02)
    turn = step * period(states[:, 0])
    agree("time per turn", text, turn, 2 * math.pi, rel=0.01)
    assert radii(states).min() > 0.48


def test_wgan_gp_ends_in_a_cycle(objective, agree):
    """For a weight w < 1, theta'' + 2 w theta' + theta = 2 w sign(theta').

    From one change of sign to the next theta goes from -b to b, in a time of pi / m with
    m = sqrt(1 - w^2). Its solution there gives b = 2 w coth(pi w / (2 m)).
    """
    weight, step = 0.3, 0.03
    text = f"wasserstein+gp:weight={weight}"
    m = math.sqrt(1 - weight**2)
    states = Dirac(objective(text), (0.1, 0.1), step).in_turn(1200)
    states = states[500:]
    width = 2 * weight / math.tanh(math.pi * weight / (2 * m))
    agree("largest theta", text, states[:, 0].max(), width, rel=0.01)
    agree("time per turn", text, step * period(states[:, 0]), 2 * math.pi / m, rel=0.01)
    assert radii(states).min() > 0.8


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_heavier_wgan_gp_comes_to_rest_elsewhere(objective, agree, side):
    """For weight w > 1 D's slope never turns its sign: it tends to 0, where theta = +-2 w."""
    text = "wasserstein+gp:weight=2"
    states = Dirac(objective(text), (1.0, side), 0.1).in_turn(400)
    agree(f"last theta from psi = {side:+.0f}", text, states[-1, 0], 4 * side, abs=1e-3)
    assert radii(states).min() > 0.9


def test_wgan_gp_as_published_passes_the_equilibrium_at_slope_one(objective, agree):
    """Where theta is slow, |psi| = 1 - psi theta / (2 w |psi|)."""
    states = Dirac(objective("wgan-gp"), (1.0, -1.0), 0.02).in_turn(400)
    (place,) = np.nonzero(np.diff(np.sign(states[:, 0])))
    agree("psi as theta passes 0", "wgan-gp", states[place.item(), 1], -1.0, abs=0.01)
    assert states[-1, 0] < -2
    assert radii(states).min() > 0.95
