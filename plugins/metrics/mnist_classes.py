"""Which of MNIST's digits are generated, and how evenly."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from ganbench.api import Data

from .class_shares import Namer
from .digit_classes import DigitClasses
from .mnist_cnn import MnistCNN, require_mnist


@dataclass
class MnistClasses(DigitClasses):
    """`digit-classes` for MNIST, whose digits another classifier names (99.5% of its test images).

        class_kl        = KL(p_g || p_r) = sum p_g log(p_g / p_r), in nats
        classes_covered = the number of classes that at least one generated image falls into

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016), section 3.3.1
        https://arxiv.org/abs/1611.02163
    """

    metric: ClassVar[str] = "mnist-classes"

    @property
    def settings(self) -> tuple[str, ...]:
        return ("mnist-cnn", "uint8")

    def check(self, reference: Data) -> None:
        require_mnist(self.metric, reference)

    def namer(self, device: torch.device) -> Namer:
        network = MnistCNN.trained(device)
        return lambda images: network(images).argmax(1)
