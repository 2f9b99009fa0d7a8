"""Which modes of a known mixture are generated."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt
from torch import Tensor

from ganbench.api import BadInput, Data, Direction, Samples, Unsupported


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
    Published counts are of 2,500 samples; more samples hit more modes.

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

    def result(self) -> dict[str, float]:
        hits, samples = self._hits.double(), self._samples
        self._forget()
        if not samples:
            raise BadInput("modes needs at least one generated sample, and got none")
        shares = hits / hits.sum().clamp(min=1)
        return {
            "modes_covered": float(hits.count_nonzero()),
            "high_quality_share": float(hits.sum()) / samples,
            "mode_kl": math.log(len(shares)) + float(torch.xlogy(shares, shares).sum()),
        }

    def _forget(self) -> None:
        self._hits = torch.zeros_like(self._means[:, 0], dtype=torch.int64)
        self._samples = 0
