"""Improved precision and recall."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.api import Direction, Estimate, Summary

from .balls import Balls
from .neighbours import hits, mean, squared_radii


@dataclass(frozen=True)
class PrecisionRecall(Balls):
    """How many fakes are among the real samples, and how many real samples among the fakes.

    A ball around a sample reaches to its k-th nearest neighbour of its own kind, itself not
    counted:

        precision = the share of fakes in at least one real sample's ball
        recall    = the share of real samples in at least one fake's ball

    A sample just on the edge is in, as in the authors' code; prdc leaves it out, StyleGAN's code
    has half precision, and the paper takes features of VGG-16. Precision is the headline: its
    balls are the reference's, the same for every generator. Recall's are the generator's own, and
    grow where it is poor: a few fakes far from all others can raise it. A generator that makes one
    perfect sample again and again has a precision of 1; read the two together.

    A generator without fault scores below 1 in both. Precision has no bias given the reference,
    but depends on the number of real samples, as recall does on both numbers.

    Noise: precision's is the standard error of a mean. Recall's is `covered_noise`, as if the
    fakes' balls were independent. In simulations (normals and mixtures in 2 to 64 dimensions,
    features of MNIST) it is 0.8 to 1.3 times the spread of the values where there are as many fakes
    as real samples. With 3 to 10 times as many real ones it is 0.6 to 1.3, on MNIST still 1.0, and
    0.35 at worst: for normals in 64 dimensions, where many balls shrink together. NaN, as the
    values are, where a feature is not finite.

    Args:
        k: the neighbour that a ball reaches to.

    References:
        Improved Precision and Recall Metric for Assessing Generative Models
        (Kynkäänniemi et al., 2019), equations 1 and 2, https://arxiv.org/abs/1904.06991
    """

    directions: ClassVar[Mapping[str, Direction]] = {"precision": "higher", "recall": "higher"}

    k: Annotated[int, Ge(1)] = 3

    def count(self, real: Summary, generated: Summary) -> dict[str, Estimate]:
        of_real = squared_radii(real, self.k)[:, None]
        of_fakes = squared_radii(generated, self.k)[None]
        near_real, near_fakes = hits(
            real.values, generated.values, (of_real, of_fakes), closed=True
        )
        return {
            "precision": mean(near_real.of_generated > 0),
            "recall": near_fakes.covered(),
        }
