"""The Fréchet Inception distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ganbench.api import BadInput, Direction

from ..extractors.inception import SHA256, Inception
from .fd import Fd
from .fd_infinity import FdInfinity


class OnOfficialWeights:
    """What makes a Fréchet distance a FID: the Inception network of 2015-12-05, and no other."""

    extractor: ClassVar[str] = "inception"
    directions: ClassVar[Mapping[str, Direction]]

    def check(self, extractor: Inception) -> None:
        if extractor.digest != SHA256:
            (name,) = (key.replace("_", "-") for key in self.directions)
            anywhere = "fd" + name.removeprefix("fid")
            raise BadInput(
                f"{name} is defined on the Inception network of 2015-12-05, and "
                f"{extractor.weights_path} is another file: its sha256 is\n"
                f"  {extractor.digest}, not\n  {SHA256}.\n"
                f"  With other weights, ask for {anywhere} in place of {name}."
            )


@dataclass(frozen=True)
class Fid(OnOfficialWeights, Fd):
    """FID: `fd` on the pool3 features of the Inception network of 2015-12-05.

        fid = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    Values of unequal numbers of samples do not compare: FID falls as N grows. Published ones are
    mostly of 50,000, and up to 2,048 samples the covariance is singular.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    directions: ClassVar[Mapping[str, Direction]] = {"fid": "lower"}


@dataclass(frozen=True)
class FidInfinity(OnOfficialWeights, FdInfinity):
    """FID of infinitely many generated samples: `fd-infinity` on what `fid` sees.

    The bias that is left, and the noise, are those of `fd-infinity`.

    Args:
        sizes: N, N / 2, N / 3, ...; each costs as many distances as it has parts.

    References:
        Effectively Unbiased FID and Inception Score and where to find them
        (Chong and Forsyth, 2020), https://arxiv.org/abs/1911.07023
    """

    directions: ClassVar[Mapping[str, Direction]] = {"fid_infinity": "lower"}
