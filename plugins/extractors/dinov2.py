"""DINOv2, a network that has learnt from images without labels."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torchvision.transforms.functional import normalize

from ganbench.api import Data, Features, Network, NotPrepared, Samples

from ..datasets.downloads import fetching
from .images import in_colour, require_images
from .weights import read_weights

SIDE = 224  # pixels
REPOSITORY = "facebookresearch/dinov2:main"
URL = "https://dl.fbaipublicfiles.com/dinov2"
# ImageNet's, for pixels from 0 to 255.
_MEAN = (255 * 0.485, 255 * 0.456, 255 * 0.406)
_STD = (255 * 0.229, 255 * 0.224, 255 * 0.225)

Resize = Callable[..., Tensor]


@dataclass
class DinoV2:
    """The class token of DINOv2's ViT with patches of 14 pixels, as torch-fidelity computes it.

    Images are resized to 224x224 as TensorFlow 1 did: bilinearly, without antialiasing, from the
    upper left corner of the pixels. Grey ones are repeated to three channels.

    It needs `pip install 'ganbench[dinov2]'`, and DINOv2's own code and weights in torch hub's
    cache: `ganbench prepare dinov2` fetches them. Features are named by the sha256 of the weights.

    Args:
        size: of the network: s, b, l or g, with 384, 768, 1,024 or 1,536 features.

    References:
        DINOv2: Learning Robust Visual Features without Supervision (Oquab et al., 2023)
        https://arxiv.org/abs/2304.07193
        Exposing flaws of generative model evaluation metrics (Stein et al., 2023)
        https://arxiv.org/abs/2306.04675
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 50

    size: Literal["s", "b", "l", "g"] = "l"

    digest: str = field(init=False, repr=False, compare=False)
    _network: "DinoNetwork" = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"dinov2-vit-{self.size}-14-{self.digest[:8]}", "bilinear-tf1", "uint8")

    def check(self, reference: Data) -> None:
        require_images("dinov2", reference)
        resize = _torch_fidelitys_resize()
        self._require_files()
        weights = read_weights(self._weights_path)
        network = self._empty()
        weights.put_into(network, f"DINOv2's ViT-{self.size}/14")
        self.digest, self._network = weights.digest, DinoNetwork(network, resize)

    def load(self, device: torch.device) -> Network:
        return self._network.to(device)

    def prepare(self) -> None:
        """Fetch code and weights into torch hub's cache, unless they are there."""
        _torch_fidelitys_resize()
        if not (_code() / "hubconf.py").is_file():
            with fetching("DINOv2's code", "https://github.com/facebookresearch/dinov2",
                          _code().name, _code().parent):  # fmt: skip
                torch.hub.list(REPOSITORY, trust_repo=True)
        path = self._weights_path
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            url = f"{URL}/{self._entry}/{path.name}"
            with fetching("DINOv2", url, path.name, path.parent):
                torch.hub.download_url_to_file(url, str(path))

    @property
    def _entry(self) -> str:
        return f"dinov2_vit{self.size}14"

    @property
    def _weights_path(self) -> Path:
        return Path(torch.hub.get_dir()) / "checkpoints" / f"{self._entry}_pretrain.pth"

    def _require_files(self) -> None:
        for path in (_code() / "hubconf.py", self._weights_path):
            if not path.is_file():
                raise NotPrepared(
                    f"dinov2 needs {path}, which is not there.\n"
                    f"  Fetch it: ganbench prepare dinov2:size={self.size}"
                )

    def _empty(self) -> nn.Module:
        # xFormers would compute attention in another order of operations; torch-fidelity too
        # switches it off.
        os.environ["XFORMERS_DISABLED"] = "1"
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="xFormers")
            network: nn.Module = torch.hub.load(
                str(_code()), self._entry, source="local", pretrained=False
            )
        return network.eval().requires_grad_(False)


class DinoNetwork(nn.Module):
    """DINOv2 behind torch-fidelity's resize."""

    def __init__(self, network: nn.Module, resize: Resize) -> None:
        super().__init__()
        self.network = network
        self._resize = resize

    def forward(self, images: Samples) -> Features:
        colour = in_colour(images.float())
        resized = self._resize(colour, size=(SIDE, SIDE), align_corners=False)
        return Features(self.network(normalize(resized, _MEAN, _STD)))


def _code() -> Path:
    return Path(torch.hub.get_dir()) / "facebookresearch_dinov2_main"


def _torch_fidelitys_resize() -> Resize:
    try:
        module: Any = import_module("torch_fidelity.interpolate_compat_tensorflow")
    except ImportError as error:
        raise NotPrepared(
            "dinov2 needs the package torch-fidelity: pip install 'ganbench[dinov2]'"
        ) from error
    resize: Resize = module.interpolate_bilinear_2d_like_tensorflow1x
    return resize
