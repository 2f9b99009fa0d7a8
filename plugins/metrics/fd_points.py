"""The Fréchet distance of points, with no feature extractor between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from ganbench.api import Data, Direction, Mixture, Samples, Unsupported

from .frechet import Moments, frechet_distance


@dataclass(frozen=True)
class Target:
    """The moments to reach, and where they come from."""

    origin: str
    mean: Tensor
    covariance: Tensor

    def to(self, device: torch.device) -> "Target":
        return Target(self.origin, self.mean.to(device), self.covariance.to(device))


@dataclass
class FdPoints:
    """The squared 2-Wasserstein distance between the normals with the points' moments.

        fd = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    It sees mean and covariance and nothing else: a normal blob with a mixture's moments scores 0,
    so read it beside `modes`. Where the reference's density is known, m_r and C_r are exact;
    elsewhere they are those of the reference's samples, and `settings` says which.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {"fd": "lower"}

    _target: Target = field(init=False, repr=False, compare=False)
    _generated: Moments = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return (self._target.origin,)

    def check(self, reference: Data) -> None:
        if reference.is_images:
            raise Unsupported(
                "fd-points needs points, as the data sets 'ring' and 'grid' have; "
                f"it was given images of shape {reference.shape}"
            )
        self._target = target(reference)

    def start(self, reference: Data, device: torch.device) -> None:
        self._target = target(reference).to(device)
        self._generated = Moments()

    def update(self, samples: Samples) -> None:
        self._generated.update(samples)

    def result(self) -> dict[str, float]:
        generated, self._generated = self._generated, Moments()
        generated.warn_if_singular("generated")
        distance = frechet_distance(
            self._target.mean, self._target.covariance, generated.mean, generated.covariance
        )
        return {"fd": distance}


def target(reference: Data) -> Target:
    """Return the reference's moments: exact ones where its density is known."""
    if reference.mixture is not None:
        return Target("exact-reference", *mixture_moments(reference.mixture))
    moments = Moments()
    moments.update(reference.samples)
    return Target("sample-reference", moments.mean, moments.covariance)


def mixture_moments(mixture: Mixture) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the density: std^2 I plus the scatter of the modes."""
    means = mixture.means.double()
    mean = means.mean(0)
    centred = means - mean
    spread = mixture.std**2 * torch.eye(means.shape[1], dtype=torch.float64)
    return mean, spread + centred.T @ centred / len(means)
