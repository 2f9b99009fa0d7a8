"""Which modes of a known mixture are generated."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt
from torch import Tensor

from ganbench.api import BadInput, Data, Direction, Estimate, Samples, Unsupported

from .class_shares import covered, divergence


@dataclass
class Modes:
    """VEEGAN's count of modes, and how evenly they are hit.

    A sample is of high quality within `radius` standard deviations of its nearest mode. With the
    shares p_m of the high-quality samples that are nearest to mode m:

        modes_covered      = the number of modes with at least one high-quality sample
        high_quality_share = the share of all samples that are of high quality
        mode_kl            = KL(p || uniform) = log(modes) + sum p_m log p_m, in nats

    mode_kl is log(modes), its largest value, with all samples on one mode or none of high quality.
    A perfect generator in two dimensions has a share of 1 - exp(-radius^2 / 2), 0.989 for 3.
    Published counts are of 2,500 samples; more samples hit more modes. mode_kl is about
    (modes - 1) / (2 N) too large for the N samples of high quality.

    Noise: high_quality_share's is a share's standard error. In simulations (2,500 samples of ring
    and grid: even, uneven, few modes, rare ones) mode_kl's is 0.9 to 1.4 times the spread of the
    values; modes_covered's 1.0 to 1.1 times it where that is above 1, up to twice it below, and 0
    where no mode is hit just once.

    Args:
        radius: how far a mode reaches, in its standard deviations.

    References:
        VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning
        (Srivastava et al., 2017), section 4.1, https://arxiv.org/abs/1705.07761
        PacGAN: The power of two samples in generative adversarial networks
        (Lin et al., 2018), section 4, https://arxiv.org/abs/1712.04086
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {
        "modes_covered": "higher",
        "high_quality_share": "higher",
        "mode_kl": "lower",
    }

    radius: Annotated[float, Gt(0)] = 3.0

    _means: Tensor = field(init=False, repr=False, compare=False)
    _reach: float = field(init=False, repr=False, compare=False)
    _hits: Tensor = field(init=False, repr=False, compare=False)
    _samples: int = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"within-{self.radius:g}-std",)

    def check(self, reference: Data) -> None:
        if reference.mixture is None:
            kind = "images" if reference.is_images else "points of unknown density"
            raise Unsupported(
                "modes needs data drawn from a known mixture, as the data sets 'ring' and 'grid' "
                f"are; it was given {kind} of shape {reference.shape}"
            )

    def start(self, reference: Data, device: torch.device) -> None:
        assert reference.mixture is not None
        self._means = reference.mixture.means.double().to(device)
        self._reach = self.radius * reference.mixture.std
        self._forget()

    def update(self, samples: Samples) -> None:
        offsets = samples.double()[:, None] - self._means
        distances = torch.linalg.vector_norm(offsets, dim=2)
        distance, nearest = distances.min(1)
        good = nearest[distance <= self._reach]
        self._hits += torch.bincount(good, minlength=len(self._means))
        self._samples += len(samples)

    def result(self) -> dict[str, Estimate]:
        hits, samples = self._hits, self._samples
        self._forget()
        if not samples:
            raise BadInput("modes needs at least one generated sample, and got none")
        share = float(hits.sum()) / samples
        return {
            "modes_covered": covered(hits),
            "high_quality_share": Estimate(share, math.sqrt(share * (1 - share) / samples)),
            "mode_kl": self._unevenness(hits),
        }

    def _unevenness(self, hits: Tensor) -> Estimate:
        modes = len(hits)
        uniform = torch.full_like(self._means[:, 0], 1 / modes)
        return divergence(hits, uniform) if hits.any() else Estimate(math.log(modes), 0.0)

    def _forget(self) -> None:
        self._hits = torch.zeros_like(self._means[:, 0], dtype=torch.int64)
        self._samples = 0
