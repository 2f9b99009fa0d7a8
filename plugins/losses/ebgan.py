"""EBGAN: D as an energy, low for real samples."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt
from torch.nn.functional import relu

from ganbench.api import Logits, Scalar


@dataclass(frozen=True)
class EBGAN:
    """D lowers the energy of real samples and raises that of fakes, up to a margin; G lowers it.

    With the energy E = -d, D's reconstruction error:

        L_D = E(x) + max(0, margin - E(G(z)))
        L_G = E(G(z))

    each averaged over the batch. EBGAN-PT adds the pulling-away term to L_G.

    The energy is what the auto-encoder says it is: the paper's is the squared error,
    `--architectures conv-autoencoder:error=l2`, where the default is BEGAN's absolute one.

    Args:
        margin: m, in units of the energy. The paper has no value for all data sets (10 on MNIST,
            20 on CelebA, 80 on LSUN, for sums over an image). Here the error is a mean per value
            of samples in [-1, 1], for which these are out of reach; 1 is what a D with outputs
            in [-1, 1] can give to any sample.

    References:
        Energy-based Generative Adversarial Network (Zhao et al., 2017), equations 1 and 2
        https://arxiv.org/abs/1609.03126
    """

    version: ClassVar[int] = 1
    needs_autoencoder: ClassVar[bool] = True

    margin: Annotated[float, Gt(0)] = 1.0

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar:
        return -real.mean() + relu(self.margin + fake).mean()

    def generator_loss(self, fake: Logits, real: Logits | None = None) -> Scalar:
        return -fake.mean()
