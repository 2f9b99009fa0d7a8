"""The Fréchet Inception distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from ganbench.api import BadInput, Direction, NotPrepared

from .inception import WeightsFile
from .inception_distance import InceptionDistance

SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BYTES = 95_628_359
URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
# The names under which pytorch-fid and torch-fidelity keep the one file.
CACHED_NAMES = (
    "pt_inception-2015-12-05-6726825d.pth",
    "weights-inception-2015-12-05-6726825d.pth",
)


@dataclass
class Fid(InceptionDistance):
    """FID: the Fréchet distance on pool3 features of the Inception network of 2015-12-05.

        fid = |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2))

    The features are pytorch-fid's. Only these weights give a FID; `fd-inception` takes others.
    Values of unequal numbers of samples do not compare: FID falls as N grows. Published ones are
    mostly of 50,000, and up to 2,048 samples the covariance is singular.

    Args:
        weights: the file with the network's weights; empty looks for it in torch hub's cache.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), equation 6, https://arxiv.org/abs/1706.08500
    """

    directions: ClassVar[Mapping[str, Direction]] = {"fid": "lower"}

    @property
    def metric(self) -> str:
        return "fid"

    @property
    def settings(self) -> tuple[str, ...]:
        return ("inception-2015", "bilinear", "uint8")

    def weights_file(self) -> WeightsFile:
        weights = WeightsFile.read(Path(self.weights).expanduser() if self.weights else cached())
        if weights.digest != SHA256:
            raise BadInput(
                f"{weights.path} is not the Inception network that FID is defined on: it has "
                f"{len(weights.content):,} bytes and the sha256\n  {weights.digest}, not "
                f"{BYTES:,} bytes and\n  {SHA256}.\n"
                f"  With other weights, ask for fd-inception:weights={weights.path}; "
                "its result is called fd."
            )
        return weights


def cached() -> Path:
    """Return the file in torch hub's cache, whichever tool fetched it."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    found = [folder / name for name in CACHED_NAMES if (folder / name).is_file()]
    if not found:
        raise NotPrepared(
            f"fid needs the Inception weights of 2015-12-05, which are not in {folder}.\n"
            f"  Put {URL}\n"
            f"  there ({BYTES:,} bytes, sha256 {SHA256}),\n"
            "  or say where the file is: --metrics fid:weights=FILE.\n"
            "  Without it: fd-inception:weights=FILE scores any images with other weights,\n"
            "  fd-digits only 8x8 digits, fd-points only points."
        )
    return found[0]
