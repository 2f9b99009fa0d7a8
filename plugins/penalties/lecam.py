"""The LeCam regularization."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn.functional import relu

from ganbench.api import Discriminator, Images, Logits, Noise, Scalar

_DISTANCES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "two-sided": lambda excess: excess,
    "one-sided": relu,
}


@dataclass(eq=False)
class LeCam(nn.Module):
    """Keep D's logits near what D has been giving the other side on average.

    With a_R and a_F, moving averages of D's mean logits of real images and of fakes:

        weight * (E[(D(x) - a_F)^2] + E[(D(G(z)) - a_R)^2])

    The averages contain the current step, carry no gradient, and are free of the bias of their
    start: divided by 1 - decay^t, as in the authors' code for StyleGAN2. That code, and that of
    StudioGAN, has max(0, D(x) - a_F) and max(0, a_R - D(G(z))) where the paper has the plain
    differences: `distance=one-sided`.

    D may have batch norm: nothing here is a function of one image alone.

    Args:
        weight: lambda in the paper.
        decay: of the averages, per step of D.
        start: steps of D in which only the averages move; 1000 in the authors' code for BigGAN.
        distance: whether a logit beyond the other side's average counts too, as in the paper.

    References:
        Regularizing Generative Adversarial Networks under Limited Data (Tseng et al., 2021)
        https://arxiv.org/abs/2104.03310
        https://github.com/google/lecam-gan
    """

    version: ClassVar[int] = 1

    weight: Annotated[float, Ge(0)] = 0.3
    decay: Annotated[float, Ge(0), Lt(1)] = 0.99
    start: Annotated[int, Ge(0)] = 1000
    distance: Literal["two-sided", "one-sided"] = "two-sided"

    def __post_init__(self) -> None:
        super().__init__()
        self.steps: Tensor
        self.real_sum: Tensor
        self.fake_sum: Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("real_sum", torch.zeros(()))
        self.register_buffer("fake_sum", torch.zeros(()))

    def forward(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar:
        of_real, of_fake = discriminator(real), discriminator(fake)
        self.steps.add_(1)
        real_average = self._averaged(self.real_sum, of_real)
        fake_average = self._averaged(self.fake_sum, of_fake)
        beyond = _DISTANCES[self.distance]
        above = beyond(of_real - fake_average).square().mean()
        below = beyond(real_average - of_fake).square().mean()
        return self.weight * (self.steps > self.start) * (above + below)

    def _averaged(self, weighted_sum: Tensor, logits: Logits) -> Tensor:
        """Move an average on, in place; return it without the bias of its start at 0."""
        weighted_sum.lerp_(logits.detach().to(weighted_sum).mean(), 1 - self.decay)
        return weighted_sum / (1 - self.decay**self.steps)
