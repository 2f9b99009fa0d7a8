"""The Fréchet distance between the normal distributions with two samples' moments."""

import warnings

import torch
from torch import Tensor

from ganbench.api import Estimate, Summary


def frechet_distance(real: Summary, generated: Summary) -> float:
    """Return |m_r - m_g|^2 + tr(C_r) + tr(C_g) - 2 tr((C_r C_g)^(1/2)), in float64.

    C_r C_g has the eigenvalues of the symmetric C_r^(1/2) C_g C_r^(1/2), which are real and not
    negative, so rounding is the only cause of a negative one and it counts as 0. A product of
    general matrices, as in `scipy.linalg.sqrtm(C_r @ C_g)`, fails where a covariance is singular.
    Where a moment isn't finite, neither is the distance: it is NaN.

    References:
        The Fréchet distance between multivariate normal distributions
        (Dowson and Landau, 1982), https://doi.org/10.1016/0047-259X(82)90077-X
    """
    if not _are_finite(real, generated):
        return float("nan")
    return _distance(real, generated, torch.linalg.eigvalsh(_product(real, generated)))


def frechet_estimate(real: Summary, generated: Summary) -> Estimate:
    """Return the same distance, with its noise, from one decomposition.

    The noise is the infinitesimal jackknife's: a sample x moves the distance by 1/N of

        2 (m_g - m_r)'y + y'Ty - tr(T C_g),  y = x - m_g,
        T = I - C_r^(1/2) (C_r^(1/2) C_g C_r^(1/2))^(-1/2) C_r^(1/2)

    and the noise is the deviation of that over `generated.evenly`, over N^(1/2). T has the
    pseudo-inverse, so that it exists at any rank.

    Over the true deviation, in simulations with 32 to 512 normal, rectified or clustered features
    and N from 2 to 30 times their number, it was 1.0 to 1.7: near 1 where N is large and the
    distributions differ, and most where they are equal, because there the distance is all
    curvature, whose variance a jackknife doubles. It was 1.0 to 1.9 where N <= features, and 0.8
    to 1.2, with a long tail, where features have few moments (Student's t with 5 degrees of
    freedom). A jackknife over 20 groups did no better, and needs the moments of each.

    References:
        The Jackknife, the Bootstrap and Other Resampling Plans (Efron, 1982), chapter 6
        https://doi.org/10.1137/1.9781611970319
    """
    if not _are_finite(real, generated):
        return Estimate(float("nan"))
    eigenvalues, vectors = torch.linalg.eigh(_product(real, generated))
    influence = _influence(real, generated, eigenvalues, vectors)
    noise = float(influence.std()) / generated.count**0.5
    return Estimate(_distance(real, generated, eigenvalues), noise)


def warn_if_singular(samples: Summary, whose: str, used: int | None = None) -> None:
    """Warn where `used` of the samples, or all, are too few for a covariance of full rank."""
    count, features = used or samples.count, len(samples.mean)
    if count <= features:
        warnings.warn(
            f"{count} {whose} samples give {features} features a covariance of rank {count - 1} at "
            f"most, and a Fréchet distance that is far too large; use more than {features}",
            stacklevel=3,
        )


def _are_finite(*summaries: Summary) -> bool:
    moments = [part for each in summaries for part in (each.mean, each.covariance)]
    return all(bool(part.isfinite().all()) for part in moments)


def _product(real: Summary, generated: Summary) -> Tensor:
    return real.covariance_root @ generated.covariance @ real.covariance_root


def _distance(real: Summary, generated: Summary, eigenvalues: Tensor) -> float:
    gap = (real.mean - generated.mean).square().sum()
    traces = real.covariance.trace() + generated.covariance.trace()
    return max(float(gap + traces - 2 * eigenvalues.clamp(min=0).sqrt().sum()), 0.0)


def _influence(real: Summary, generated: Summary, eigenvalues: Tensor, vectors: Tensor) -> Tensor:
    """Of each row of `evenly` on the distance, but for a constant."""
    rounding = len(eigenvalues) * torch.finfo(eigenvalues.dtype).eps * eigenvalues.max()
    inverse_roots = torch.where(eigenvalues > rounding, eigenvalues.rsqrt(), 0.0)
    rows = generated.evenly.double() - generated.mean
    turned = rows @ (real.covariance_root @ vectors)
    spread = rows.square().sum(1) - turned.square() @ inverse_roots
    return spread + 2 * rows @ (generated.mean - real.mean)
