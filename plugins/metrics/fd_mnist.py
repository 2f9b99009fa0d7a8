"""The Fréchet distance on the features of a small MNIST classifier."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from ganbench.api import Data

from .feature_distance import Extractor, FeatureDistance
from .mnist_cnn import MnistCNN, require_mnist


@dataclass
class FdMnist(FeatureDistance):
    """FID's formula on 64 features of a network that tells MNIST's digits apart.

        fd = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    The weights are part of ganbench and learnt from MNIST's training images. Values compare with
    one another, never with a FID.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    batch_size: ClassVar[int] = 500

    @property
    def settings(self) -> tuple[str, ...]:
        return ("mnist-cnn", "uint8")

    def check(self, reference: Data) -> None:
        require_mnist("fd-mnist", reference)

    def extractor(self, device: torch.device) -> Extractor:
        return MnistCNN.trained(device).features
