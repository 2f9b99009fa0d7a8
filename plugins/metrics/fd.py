"""The Fréchet distance on any extractor's features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ganbench.api import Direction, Estimate, Part, Summary

from .frechet import frechet_estimate, warn_if_singular


@dataclass(frozen=True)
class Fd:
    """The squared 2-Wasserstein distance between the normals with the features' moments.

        fd = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    It is too large by about c/N, so values of unequal N do not compare; for equal normal
    distributions c is up to tr(C) times a quarter of the number of features. `fd-infinity` takes
    most of that away. A reference of M samples adds as much again with its M, which stays the same
    throughout a study. How good the noise is stands with `frechet_estimate`.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {"fd": "lower"}
    needs: ClassVar[frozenset[Part]] = frozenset({"moments"})

    @property
    def settings(self) -> tuple[str, ...]:
        return ()

    @property
    def least_samples(self) -> int:
        return 2

    def compare(self, real: Summary, generated: Summary) -> dict[str, Estimate]:
        warn_if_singular(real, "real")
        warn_if_singular(generated, "generated")
        (name,) = self.directions
        return {name: frechet_estimate(real, generated)}
