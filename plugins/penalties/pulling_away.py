"""The pulling-away term of EBGAN."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch.nn.functional import normalize

from ganbench.api import Discriminator, Generator, Images, Latents, Noise, Scalar


@dataclass(frozen=True)
class PullingAway:
    """G spreads its fakes: their embeddings in D are pulled towards right angles.

    With the embeddings S_1 ... S_N of a batch of fakes:

        weight * 1 / (N (N - 1)) * sum over i != j of cos(S_i, S_j)^2

    Many copies leave out the square, so that opposite embeddings are rewarded. A zero embedding
    counts as at a right angle to all.

    Args:
        weight: 0.1 in the paper's EBGAN-PT.

    References:
        Energy-based Generative Adversarial Network (Zhao et al., 2016), equation 4
        https://arxiv.org/abs/1609.03126
    """

    version: ClassVar[int] = 1
    uses_embeddings: ClassVar[bool] = True

    weight: Annotated[float, Ge(0)] = 0.1

    def generator_term(
        self,
        discriminator: Discriminator,
        generator: Generator,
        latents: Latents,
        fake: Images,
        noise: Noise,
    ) -> Scalar:
        directions = normalize(discriminator.embed(fake), dim=1)
        cosines = directions @ directions.T
        pairs = max(len(fake) * (len(fake) - 1) // 2, 1)  # a single fake has no pair
        return self.weight * cosines.triu(diagonal=1).square().sum() / pairs
