"""FID's formula and network with other weights."""

from dataclasses import dataclass
from pathlib import Path

from ganbench.api import BadInput

from .inception import WeightsFile
from .inception_distance import InceptionDistance


@dataclass
class FdInception(InceptionDistance):
    """The Fréchet distance on pool3 features of FID's network with weights of your own.

        fd = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    It is computed as `fid` is and is not a FID; `settings` names the weights by their sha256.

    Args:
        weights: a file that torch.save(network.state_dict(), FILE) wrote, of the network that
            pytorch_fid.inception.fid_inception_v3 builds.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    @property
    def metric(self) -> str:
        return "fd-inception"

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"inception-{self._digest[:8]}", "bilinear", "uint8")

    def weights_file(self) -> WeightsFile:
        if not self.weights:
            raise BadInput(
                "fd-inception needs a file of weights: --metrics fd-inception:weights=FILE. "
                "FID's own are found without: --metrics fid"
            )
        return WeightsFile.read(Path(self.weights).expanduser())
