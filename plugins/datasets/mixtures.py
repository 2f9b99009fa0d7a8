"""Points drawn from mixtures of normal distributions, whose density is known exactly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt

from ganbench.api import Data, Mixture

_SEED = 0


@dataclass(frozen=True)
class Gaussian:
    """Points of the normal distribution N(mean, std^2) on the line; one split, "all".

    Every seed of an experiment sees the same points.

    Args:
        mean: of the distribution.
        std: its standard deviation.
        size: number of points.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), figure 1: the task's shape
        https://arxiv.org/abs/1406.2661
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "mlp"
    autoencoder: ClassVar[str] = "mlp-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = (
        "fd-points",
        "wasserstein",
        "jensen-shannon:width=0.5",
        "optimal-discriminator",
    )

    mean: float = 0.0
    std: Annotated[float, Gt(0)] = 1.0
    size: Annotated[int, Ge(1)] = 50_000

    def prepare(self, folder: Path) -> None:
        """Nothing to fetch."""

    def load(self, folder: Path) -> Data:
        return _draw([(self.mean,)], self.std, self.size)


@dataclass(frozen=True)
class Ring:
    """Points of equal normal distributions, evenly spaced on a circle; one split, "all".

    The first mode lies at (radius, 0), the others follow counter-clockwise. The defaults are
    those of Unrolled GANs; VEEGAN and PacGAN use the same picture at half the scale (radius 1,
    std 0.01). Every seed of an experiment sees the same points.

    Args:
        modes: number of normal distributions.
        radius: of the circle that their means lie on.
        std: standard deviation of each, along each axis.
        size: number of points.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2017), section 3.1 and appendix A
        https://arxiv.org/abs/1611.02163
        VEEGAN (Srivastava et al., 2017), its 2D ring and grid
        https://arxiv.org/abs/1705.07761
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "mlp"
    autoencoder: ClassVar[str] = "mlp-autoencoder"
    # Modes first: opposite modes alone have the ring's mean and covariance, so that a Frechet
    # distance can't see that the others are missing.
    metrics: ClassVar[tuple[str, ...]] = ("modes", "fd-points", "wasserstein", "jensen-shannon")

    modes: Annotated[int, Ge(1)] = 8
    radius: Annotated[float, Gt(0)] = 2.0
    std: Annotated[float, Gt(0)] = 0.02
    size: Annotated[int, Ge(1)] = 50_000

    def prepare(self, folder: Path) -> None:
        """Nothing to fetch."""

    def load(self, folder: Path) -> Data:
        angles = [2 * math.pi * mode / self.modes for mode in range(self.modes)]
        means = [(self.radius * math.cos(a), self.radius * math.sin(a)) for a in angles]
        return _draw(means, self.std, self.size)


@dataclass(frozen=True)
class Grid:
    """Points of equal normal distributions on a square grid around 0; one split, "all".

    The defaults are VEEGAN's and PacGAN's: 25 modes at -4, -2, 0, 2, 4 along each axis. Every
    seed of an experiment sees the same points.

    Args:
        side: number of modes along each axis.
        spacing: distance of neighbouring means along an axis.
        std: standard deviation of each mode, along each axis.
        size: number of points.

    References:
        VEEGAN (Srivastava et al., 2017), its 2D ring and grid
        https://arxiv.org/abs/1705.07761
        PacGAN (Lin et al., 2018), section 4
        https://arxiv.org/abs/1712.04086
    """

    version: ClassVar[int] = 1
    architecture: ClassVar[str] = "mlp"
    autoencoder: ClassVar[str] = "mlp-autoencoder"
    metrics: ClassVar[tuple[str, ...]] = ("modes", "fd-points", "wasserstein", "jensen-shannon")

    side: Annotated[int, Ge(1)] = 5
    spacing: Annotated[float, Gt(0)] = 2.0
    std: Annotated[float, Gt(0)] = 0.05
    size: Annotated[int, Ge(1)] = 50_000

    def prepare(self, folder: Path) -> None:
        """Nothing to fetch."""

    def load(self, folder: Path) -> Data:
        axis = [self.spacing * (place - (self.side - 1) / 2) for place in range(self.side)]
        return _draw([(x, y) for x in axis for y in axis], self.std, self.size)


def _draw(means: Sequence[tuple[float, ...]], std: float, size: int) -> Data:
    mixture = Mixture(torch.tensor(means, dtype=torch.float64), std)
    samples = mixture.draw(size, torch.Generator().manual_seed(_SEED))
    return Data(samples, "all", mixture=mixture)
