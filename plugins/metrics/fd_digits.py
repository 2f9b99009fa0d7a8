"""The Fréchet distance on the features of a small digits classifier."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from ganbench.api import Data

from .digits_cnn import DigitsCNN, require_digits
from .feature_distance import Extractor, FeatureDistance


@dataclass
class FdDigits(FeatureDistance):
    """FID's formula on 64 features of a network that tells 8x8 digits apart.

        fd = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    The weights are part of ganbench and learnt from four fifths of scikit-learn's digits. Values
    compare with one another, never with a FID.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    batch_size: ClassVar[int] = 500

    @property
    def settings(self) -> tuple[str, ...]:
        return ("digits-cnn", "uint8")

    def check(self, reference: Data) -> None:
        require_digits("fd-digits", reference)

    def extractor(self, device: torch.device) -> Extractor:
        return DigitsCNN.trained(device).features
