"""MMD-GAN: the distance between two batches of D's embeddings, as a kernel sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ganbench.api import Embeddings, Scalar, Unsupported

_ALPHAS = (0.2, 0.5, 1.0, 2.0, 5.0)
_SIGMAS = (1.0, 2.0, 4.0, 8.0, 16.0)


def _squared_distances(points: Embeddings) -> Tensor:
    """|x - y|^2 of each pair; differentiable where it is 0, which a root of it would not be."""
    norms = points.square().sum(dim=1)
    return (norms[:, None] + norms - 2 * points @ points.T).clamp(min=0)


def _rational_quadratic(points: Embeddings) -> Tensor:
    distances = _squared_distances(points)
    return torch.stack([(1 + distances / (2 * alpha)) ** -alpha for alpha in _ALPHAS]).sum(dim=0)


def _gaussian(points: Embeddings) -> Tensor:
    distances = _squared_distances(points)
    return torch.stack([(-distances / (2 * sigma**2)).exp() for sigma in _SIGMAS]).sum(dim=0)


def _linear(points: Embeddings) -> Tensor:
    return points @ points.T


# Each gives the matrix of k(x, y) over all pairs of points.
_KERNELS: Mapping[str, Callable[[Embeddings], Tensor]] = {
    "rational-quadratic": _rational_quadratic,
    "gaussian": _gaussian,
    "linear": _linear,
}


@dataclass(frozen=True)
class MMD:
    """D embeds samples so that real and fake ones are far apart; G brings them together.

    With embeddings x_i of m real and y_j of n fake samples, and a kernel k:

        MMD^2 = sum_{i != j} k(x_i, x_j) / (m (m-1)) + sum_{i != j} k(y_i, y_j) / (n (n-1))
                - 2 sum_{i, j} k(x_i, y_j) / (m n)
        L_D = -MMD^2
        L_G = MMD^2

        rational-quadratic  k = sum_a (1 + |x - y|^2 / (2 a))^-a,      a in 0.2, 0.5, 1, 2, 5
        gaussian            k = sum_s exp(-|x - y|^2 / (2 s^2)),       s in 1, 2, 4, 8, 16
        linear              k = x . y

    Without the diagonals it is unbiased, and may be negative. The gaussian scales are those of
    Li et al., who descend the root of a biased estimate and add terms of their own; Binkowski et
    al.'s code has 2, 5, 10, 20, 40 and 80. The recommended settings are theirs. They hold D by a
    gradient penalty on the witness function, which is not offered here; spectral norm is. What is
    made of D's logits is refused, as nothing here trains them.

    Args:
        kernel: k.

    References:
        Demystifying MMD GANs (Binkowski et al., 2018), section 2
        https://arxiv.org/abs/1801.01401
        MMD GAN: Towards Deeper Understanding of Moment Matching Network (Li et al., 2017)
        https://arxiv.org/abs/1705.08584
    """

    version: ClassVar[int] = 1
    uses_embeddings: ClassVar[bool] = True
    needs_real_in_generator_step: ClassVar[bool] = True
    recommended: ClassVar[Mapping[str, str]] = {
        "schedule": "k-step:k=5",
        "optimizer": "adam",
        "generator_lr": "1e-4",
        "discriminator_lr": "1e-4",
        "beta1": "0.5",
        "beta2": "0.9",
    }

    kernel: Literal["rational-quadratic", "gaussian", "linear"] = "rational-quadratic"

    def discriminator_loss(self, real: Embeddings, fake: Embeddings) -> Scalar:
        return -_squared_mmd(real, fake, _KERNELS[self.kernel])

    def generator_loss(self, fake: Embeddings, real: Embeddings | None) -> Scalar:
        assert real is not None
        return _squared_mmd(real, fake, _KERNELS[self.kernel])


def _squared_mmd(
    real: Embeddings, fake: Embeddings, kernel: Callable[[Embeddings], Tensor]
) -> Scalar:
    count = len(real)
    if min(count, len(fake)) < 2:
        raise Unsupported("mmd compares samples of one kind: it needs 2 or more of each in a batch")
    # In float64: the distance of two large embeddings, got from their norms, can be small. Nor
    # does autocast touch it.
    values = kernel(torch.cat((real, fake)).double())
    within_real = _mean_of_others(values[:count, :count])
    within_fake = _mean_of_others(values[count:, count:])
    return within_real + within_fake - 2 * values[:count, count:].mean()


def _mean_of_others(values: Tensor) -> Scalar:
    """The mean without the diagonal, where a sample meets itself."""
    return (values.sum() - values.diagonal().sum()) / (len(values) * (len(values) - 1))
