"""Which classes are generated, and how evenly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ganbench.api import Direction

from .class_shares import ClassShares


@dataclass(frozen=True)
class Classes(ClassShares):
    """Stacked-MNIST's two measures of mode collapse, on the classes of any data.

    The extractor names the class of each image, for generated and real ones alike. With the
    shares p_g and p_r of the classes:

        class_kl        = KL(p_g || p_r) = sum p_g log(p_g / p_r), in nats
        classes_covered = the number of classes that at least one generated image falls into

    The headline is class_kl: a single image covers a class, so with N much above the number of
    classes even noise covers most, and a generator that makes one class ten times too seldom covers
    all of them. Of N samples of K classes, class_kl is (K - 1) / (2 N) too large on average, 0.002
    for 10 classes and 2,000 samples. It is infinite where a class was generated that the reference
    lacks.

    Noise: in simulations (2,000 samples of 10 classes: even, uneven, few, all but one) that of
    class_kl is 0.9 to 1.3 times the spread of the values. That of classes_covered is 1.0 to 1.2
    times it, up to twice where it is below 0.5, and 0 where no class is hit just once.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016), section 3.3.1
        https://arxiv.org/abs/1611.02163
        VEEGAN (Srivastava et al., 2017), section 4.2, https://arxiv.org/abs/1705.07761
    """

    directions: ClassVar[Mapping[str, Direction]] = {
        "class_kl": "lower",
        "classes_covered": "higher",
    }
    divergence: ClassVar[str] = "class_kl"
    coverage: ClassVar[str] = "classes_covered"
