"""The extractor of FID."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

import torch

from ganbench.api import Data, Network, NotPrepared

from ..datasets.downloads import fetching
from .images import require_images
from .inception_network import InceptionNetwork
from .weights import read_weights

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
class Inception:
    """The Inception network of FID: 2,048 features ("pool3") and 1,008 classes.

    The features are pytorch-fid's: images of any size, grey or colour, are resized to 299x299
    bilinearly without antialiasing. The logits lack the last layer's bias, as in the first
    Inception Score (torch-fidelity's "logits_unbiased", whose resize is another one).

    Features on other weights than the official ones are named by the sha256 of their file.

    Args:
        weights: a file that torch.save(network.state_dict(), FILE) wrote, of the network that
            pytorch_fid.inception.fid_inception_v3 builds; empty looks for the official one of
            2015-12-05 in torch hub's cache, where pytorch-fid and torch-fidelity keep it too.

    References:
        Rethinking the Inception Architecture for Computer Vision (Szegedy et al., 2016)
        https://arxiv.org/abs/1512.00567
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium
        (Heusel et al., 2017), https://arxiv.org/abs/1706.08500
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 50  # pytorch-fid's
    names_classes: ClassVar[bool] = True

    weights: Annotated[str, "location"] = ""

    digest: str = field(init=False, repr=False, compare=False)
    _network: InceptionNetwork = field(init=False, repr=False, compare=False)

    @property
    def weights_path(self) -> Path:
        return Path(self.weights).expanduser() if self.weights else _cached()

    @property
    def settings(self) -> tuple[str, ...]:
        label = "2015" if self.digest == SHA256 else self.digest[:8]
        return (f"inception-{label}", "bilinear", "uint8")

    def check(self, reference: Data) -> None:
        require_images("inception", reference)
        weights = read_weights(self.weights_path, "" if self.weights else SHA256)
        self.digest, self._network = weights.digest, InceptionNetwork(weights)

    def load(self, device: torch.device) -> Network:
        return self._network.to(device)

    def prepare(self) -> None:
        """Fetch the official weights into torch hub's cache, unless they are there."""
        if not self.weights and not any(path.is_file() for path in _places()):
            home = _places()[0].parent
            home.mkdir(parents=True, exist_ok=True)
            with fetching("Inception", URL, CACHED_NAMES[0], home):
                torch.hub.download_url_to_file(URL, str(_places()[0]), SHA256)


def _places() -> list[Path]:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return [folder / name for name in CACHED_NAMES]


def _cached() -> Path:
    """The file in torch hub's cache, whichever tool fetched it."""
    for path in _places():
        if path.is_file():
            return path
    raise NotPrepared(
        f"inception needs its weights of 2015-12-05, which are not in {_places()[0].parent}.\n"
        f"  Fetch them: ganbench prepare inception\n"
        f"  or put {URL}\n"
        f"  there ({BYTES:,} bytes, sha256 {SHA256}),\n"
        "  or say where the file is: --extractors inception:weights=FILE.\n"
        "  Without it: digits-cnn and mnist-cnn see digits; torchscript and module take any\n"
        "  network of yours."
    )
