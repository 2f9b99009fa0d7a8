"""Which digits are generated, and how evenly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from ganbench.api import BadInput, Data, Direction, Samples

from .batching import FixedBatches
from .digits_cnn import CLASSES, DigitsCNN, require_digits, trained_digits_cnn
from .precision import full_precision

BATCH_SIZE = 500


@dataclass
class DigitClasses:
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

    version: ClassVar[int] = 1
    directions: ClassVar[Mapping[str, Direction]] = {
        "class_kl": "lower",
        "classes_covered": "higher",
    }

    _classifier: DigitsCNN = field(init=False, repr=False, compare=False)
    _batches: FixedBatches = field(init=False, repr=False, compare=False)
    _real_shares: Tensor = field(init=False, repr=False, compare=False)
    _counts: Tensor = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return ("digits-cnn", "uint8")

    def check(self, reference: Data) -> None:
        require_digits("digit-classes", reference)

    def start(self, reference: Data, device: torch.device) -> None:
        self._classifier = trained_digits_cnn(device)
        self._batches = FixedBatches(BATCH_SIZE)
        batches = torch.split(reference.samples, BATCH_SIZE)
        real = sum((self._count(batch.to(device)) for batch in batches), self._none())
        self._real_shares = real / real.sum()
        self._counts = self._none()

    def update(self, samples: Samples) -> None:
        for batch in self._batches.add(samples):
            self._counts += self._count(batch)

    def result(self) -> dict[str, float]:
        for batch in self._batches.rest():
            self._counts += self._count(batch)
        counts, self._counts = self._counts, self._none()
        if not counts.any():
            raise BadInput("digit-classes needs at least one generated image, and got none")
        return {
            "class_kl": kl_divergence(counts / counts.sum(), self._real_shares),
            "classes_covered": float(counts.count_nonzero()),
        }

    def _count(self, batch: Samples) -> Tensor:
        with full_precision():
            classes = self._classifier(batch).argmax(1)
        return torch.bincount(classes.cpu(), minlength=CLASSES).double()

    def _none(self) -> Tensor:
        return torch.zeros(CLASSES, dtype=torch.float64)


def kl_divergence(p: Tensor, q: Tensor) -> float:
    """Return the sum of p log(p / q) in nats, where 0 log 0 is 0."""
    return float((torch.xlogy(p, p) - torch.xlogy(p, q)).sum())
