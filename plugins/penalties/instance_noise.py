"""Instance noise."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.api import Images, Noise


@dataclass(frozen=True)
class InstanceNoise:
    """D sees every image, real or generated, through noise of its own.

        x + N(0, std^2), per value

    It gives both distributions a common support. The papers lower std to 0 during training;
    here it is constant.

    Args:
        std: in units of the images, whose values span 2; the papers name no one value.

    References:
        Amortised MAP Inference for Image Super-resolution (Sonderby et al., 2016)
        https://arxiv.org/abs/1610.04490
        Towards Principled Methods for Training Generative Adversarial Networks
        (Arjovsky and Bottou, 2017)
        https://arxiv.org/abs/1701.04862
    """

    version: ClassVar[int] = 1

    std: Annotated[float, Ge(0)] = 0.1

    def augment(self, images: Images, noise: Noise) -> Images:
        return images + self.std * noise.normal_like(images)
