"""Which digits are generated, and how evenly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from ganbench.api import Data, Direction

from .class_shares import ClassShares, Namer
from .digits_cnn import CLASSES, DigitsCNN, require_digits


@dataclass
class DigitClasses(ClassShares):
    """Stacked-MNIST's two measures of mode collapse, on the ten digits.

    A small classifier names the digit in each image, for generated and real ones alike. With the
    shares p_g and p_r of the classes:

        class_kl        = KL(p_g || p_r) = sum p_g log(p_g / p_r), in nats
        classes_covered = the number of classes that at least one generated image falls into

    The headline is class_kl: a single image covers a class, so with N much above 10 even noise
    covers most, and a generator that makes one class ten times too seldom covers all of them. Of
    N samples without any fault, class_kl is about 9 / (2 N). It is infinite where a class was
    generated that the reference lacks.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016), section 3.3.1
        https://arxiv.org/abs/1611.02163
        VEEGAN (Srivastava et al., 2017), section 4.2, https://arxiv.org/abs/1705.07761
    """

    directions: ClassVar[Mapping[str, Direction]] = {
        "class_kl": "lower",
        "classes_covered": "higher",
    }
    metric: ClassVar[str] = "digit-classes"
    divergence: ClassVar[str] = "class_kl"
    coverage: ClassVar[str] = "classes_covered"
    classes: ClassVar[int] = CLASSES

    @property
    def settings(self) -> tuple[str, ...]:
        return ("digits-cnn", "uint8")

    def check(self, reference: Data) -> None:
        require_digits(self.metric, reference)

    def namer(self, device: torch.device) -> Namer:
        network = DigitsCNN.trained(device)
        return lambda images: network(images).argmax(1)
