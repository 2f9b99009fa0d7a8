"""How fast a cell trains, measured alone on the machine and apart from quality.

One process times one cell while nothing else of the study runs: warm-up, then windows of whole
rounds that end with the device at rest. Rates are medians over the windows, or means where a
schedule fills them unevenly; FLOPs are torch's own count (matrix products and convolutions, double
backward included); the peak is that of a large float32 matrix product on the same device and
threads, the fastest seen around the windows.
"""

import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.module_tracker import ModuleTracker

from ganbench.acceleration import synchronize
from ganbench.assembly import assemble, schedule_of
from ganbench.components import Schedule
from ganbench.data import Data
from ganbench.experiment import Experiment
from ganbench.training import Game, Round, train

_WARM_UP_SECONDS = 0.7
_WINDOWS = 7
_WINDOW_SECONDS = 0.3
_PEAK_SIZE = {"cpu": 1024, "cuda": 8192}
_PEAK_REPEATS = 8
_FIRST_STEPS = 10_000  # what a schedule and lazy penalties do is read off these


class _Untracked(ModuleTracker):
    """No count per module: its hooks fail where D's input is a leaf, as in gradient penalties."""

    def __enter__(self) -> "_Untracked":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Flops(NamedTuple):
    """What a step costs: of D, the mean over steps that have and lack lazy penalties; one of D
    that its schedule declines; and one of G."""

    discriminator: float = 0.0
    declined: float = 0.0
    generator: float = 0.0

    def of(self, finished: Round) -> float:
        """Those of one round."""
        moved = sum(move.moved for move in finished.discriminator)
        declined = len(finished.discriminator) - moved
        return moved * self.discriminator + declined * self.declined + self.generator


def count_flops(game: Game) -> Flops:
    """Count them; the game is spent by it.

    A penalty that is not in every step counts as often as it is in the first of a long run.
    """
    patterns = [game.objective.applied_penalties(step) for step in range(_FIRST_STEPS)]
    mean = declined = 0.0
    for pattern, times in Counter(patterns).items():
        game.discriminator_steps = patterns.index(pattern)
        declined += times / len(patterns) * _flops_of(lambda: game.discriminator_step(_declining))
        mean += times / len(patterns) * _flops_of(game.discriminator_step)
    return Flops(mean, declined, _flops_of(game.generator_step))


def _declining(*_: object) -> bool:
    return False


def _flops_of(step: Callable[[], object]) -> float:
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _Untracked()
    with counter:
        step()
    return float(counter.get_total_flops())


class _Window(NamedTuple):
    """What `count` rounds took, and what they did."""

    seconds: float
    batches_shown: int
    moves: int
    flops: float


def measure(experiment: Experiment, data: Data, device: torch.device) -> dict[str, Any]:
    """The cell's rates, on a game of its own.

    Returns:
        images_per_second (real images seen by D), generator_steps_per_second,
        discriminator_steps_per_second, flops_per_second, peak_flops_per_second, peak_share,
        peak_memory_bytes, spread (of the windows: largest less smallest, over the median).
    """
    flops = count_flops(assemble(experiment, data, device))
    game = assemble(experiment, data, device)
    schedule = schedule_of(experiment)
    game.generator_steps = _typical_step(schedule)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    rounds = train(game, schedule)
    per_window = _warm_up(rounds, device)
    memory = _peak_memory(device)
    peak = peak_flops(device)
    windows = [_window(rounds, per_window, flops, device) for _ in range(_WINDOWS)]
    peak = max(peak, peak_flops(device))
    rates = rates_of(windows, per_window, game.batch_size)
    return {
        **rates,
        "peak_flops_per_second": peak,
        "peak_share": rates["flops_per_second"] / peak,
        "peak_memory_bytes": memory,
    }


def rates_of(windows: Sequence[_Window], per_window: int, batch_size: int) -> dict[str, float]:
    """Rates over windows of so many rounds each."""
    times = [window.seconds for window in windows]
    shown = [window.batches_shown for window in windows]
    # Where a schedule fills the windows unevenly, the median one is not what a run is made of.
    seconds = statistics.median(times) if len(set(shown)) == 1 else statistics.mean(times)
    return {
        "images_per_second": statistics.mean(shown) * batch_size / seconds,
        "generator_steps_per_second": per_window / seconds,
        "discriminator_steps_per_second": statistics.mean(w.moves for w in windows) / seconds,
        "flops_per_second": statistics.mean(w.flops for w in windows) / seconds,
        "spread": (max(times) - min(times)) / seconds,
    }


def _typical_step(schedule: Schedule) -> int:
    """The first generator step with as many of D's steps before it as most have: a schedule may
    begin with a phase of its own."""
    moves = [schedule.discriminator_steps(step) for step in range(_FIRST_STEPS)]
    return moves.index(statistics.median_low(moves))


def _warm_up(rounds: Iterator[Round], device: torch.device) -> int:
    """Run until the time is up; return how many rounds make a window."""
    next(rounds)
    synchronize(device)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < _WARM_UP_SECONDS:
        next(rounds)
        synchronize(device)
        done += 1
    return max(1, round(done * _WINDOW_SECONDS / _WARM_UP_SECONDS))


def _window(rounds: Iterator[Round], count: int, flops: Flops, device: torch.device) -> _Window:
    synchronize(device)
    started = time.perf_counter()
    played = list(islice(rounds, count))
    synchronize(device)
    seconds = time.perf_counter() - started
    moved = [move.moved for finished in played for move in finished.discriminator]
    return _Window(seconds, len(moved), sum(moved), sum(flops.of(finished) for finished in played))


def peak_flops(device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """FLOP/s of a large matrix product, the best of a few."""
    size = _PEAK_SIZE[device.type]
    left, right = (torch.rand(size, size, device=device).to(dtype) for _ in range(2))
    times = []
    for _ in range(_PEAK_REPEATS):
        synchronize(device)
        started = time.perf_counter()
        torch.matmul(left, right)
        synchronize(device)
        times.append(time.perf_counter() - started)
    return 2.0 * size**3 / min(times)


def _peak_memory(device: torch.device) -> int:
    """Bytes: what torch allocated on a GPU; on a CPU the process's largest resident size."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
