"""Density and coverage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.api import Direction, Estimate, Summary

from .balls import Balls
from .neighbours import hits, mean, squared_radii


@dataclass(frozen=True)
class DensityCoverage(Balls):
    """How many real samples a fake is close to, and how many real samples have a fake close.

    A ball around each of M real samples reaches to its k-th nearest real neighbour, itself not
    counted and the edge left out. For N fakes:

        coverage = the share of the balls with at least one fake in
        density  = the number of balls that a fake is in, on average, divided by k

    Coverage is the headline: it falls with poor fakes and with missing modes. Density can exceed
    1, and is highest for a generator that keeps to where the data are dense. Of a generator without
    fault, density is 1 on average, and coverage

        1 - prod_(i=1..k) (M - i) / (M + N - i), about 1 - (1 + N / M)^-k

    which is 0.969 for N = M and k = 5, but 0.598 for N = M / 5: values of another N or M do not
    compare.

    Noise: density's is the standard error of a mean. Coverage's is `covered_noise`, in simulations
    (normals and mixtures in 2 to 32 dimensions, features of MNIST) 0.85 to 1.2 times the spread of
    the values. Where fewer than one ball in a hundred is missed it is up to several times as large,
    and below 0.001. NaN, as the values are, where a feature is not finite.

    Args:
        k: the neighbour that a ball reaches to.

    References:
        Reliable Fidelity and Diversity Metrics for Generative Models (Naeem et al., 2020),
        equations 3 to 5, https://arxiv.org/abs/2002.09797
        https://github.com/clovaai/generative-evaluation-prdc
    """

    directions: ClassVar[Mapping[str, Direction]] = {"coverage": "higher", "density": "higher"}

    k: Annotated[int, Ge(1)] = 5

    def count(self, real: Summary, generated: Summary) -> dict[str, Estimate]:
        radii = squared_radii(real, self.k)[:, None]
        (near,) = hits(real.values, generated.values, (radii,), closed=False)
        return {"coverage": near.covered(), "density": mean(near.of_generated.double() / self.k)}
