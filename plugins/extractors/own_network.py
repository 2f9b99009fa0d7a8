"""What the extractors that a user brings along have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.transforms.functional import normalize

from ganbench.api import BadInput, Data, Features, Network, Samples, Unsupported

from .images import CHANNELS, in_colour, kind_of

Inputs: TypeAlias = Literal["0..1", "-1..1", "imagenet"]

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
# From pixels in [0, 1] to what the network was trained on.
_INPUTS: Mapping[Inputs, Callable[[Tensor], Tensor]] = {
    "0..1": lambda pixels: pixels,
    "-1..1": lambda pixels: 2 * pixels - 1,
    "imagenet": lambda pixels: normalize(in_colour(pixels), _IMAGENET_MEAN, _IMAGENET_STD),
}


@dataclass(kw_only=True)
class OwnNetwork(ABC):
    """A network that a user names, and how images become its inputs; a subclass reads it.

    `check` reads the network, and tries it on the first images.
    """

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 50
    kind: ClassVar[str]  # the extractor's name

    size: Annotated[int, Ge(0)] = 0
    inputs: Inputs = "0..1"

    _label: str = field(init=False, repr=False, compare=False)
    _network: "PreparedNetwork" = field(init=False, repr=False, compare=False)

    @abstractmethod
    def read(self) -> tuple[nn.Module, str]:
        """Return the network, and a label that differs where its features could."""

    @property
    def settings(self) -> tuple[str, ...]:
        resize = (f"bilinear-antialiased-{self.size}",) if self.size else ()
        return (self._label, *resize, self.inputs, "uint8")

    def check(self, reference: Data) -> None:
        if not reference.is_images:
            raise Unsupported(f"{self.kind} needs images; it was given {kind_of(reference)}")
        if self.inputs == "imagenet" and reference.shape[0] not in CHANNELS:
            raise Unsupported(
                f"{self.kind}:inputs=imagenet needs images with 1 or 3 channels; "
                f"it was given {kind_of(reference)}"
            )
        network, self._label = self.read()
        self._network = PreparedNetwork(network.eval(), self._label, self.inputs, self.size)
        self._network.try_on(reference.samples[:2])

    def load(self, device: torch.device) -> Network:
        return self._network.to(device)


class PreparedNetwork(nn.Module):
    """A network with what makes images its inputs, and its outputs features.

    Args:
        name: what messages call it.
    """

    def __init__(self, network: nn.Module, name: str, inputs: Inputs, size: int) -> None:
        super().__init__()
        self.network = network
        self._name = name
        self._inputs = _INPUTS[inputs]
        self._size = size

    def forward(self, images: Samples) -> Features:
        pixels = images.float() / 255
        if self._size:
            shape = (self._size, self._size)
            pixels = interpolate(
                pixels, shape, mode="bilinear", align_corners=False, antialias=True
            )
        output = self.network(self._inputs(pixels))
        if not torch.is_tensor(output) or output.dim() not in (2, 4) or len(output) != len(images):
            raise BadInput(
                f"{self._name} has to return one tensor, [batch, features] or [batch, features,"
                f" height, width]; of {len(images)} images it made {_described(output)}"
            )
        return Features(output.float().mean((2, 3)) if output.dim() == 4 else output.float())

    @torch.no_grad()
    def try_on(self, images: Samples) -> None:
        """See that it takes these images, each by itself, and makes numbers of them."""
        try:
            values = self(images).values
            alone = self(images[:1]).values
        except BadInput:
            raise
        except Exception as error:  # someone else's code fails in every way there is
            raise Unsupported(
                f"{self._name} can't take images of shape {tuple(images.shape[1:])}; give the"
                " size and inputs that it wants, as in size=224:inputs=imagenet\n"
                f"  It said: {reason(error)}"
            ) from error
        if not values.isfinite().all():
            raise BadInput(f"{self._name} makes NaN or infinite features of the first images")
        if not torch.allclose(values[:1], alone, rtol=1e-3, atol=1e-3 * float(values.abs().max())):
            raise BadInput(
                f"{self._name} makes other features of an image when another one is beside it:"
                " its output depends on the batch, as with batch statistics or random layers"
            )


def reason(error: Exception) -> str:
    """What the error of someone else's code says at last: TorchScript has the cause there."""
    lines = str(error).strip().splitlines()
    return shorten(lines[-1], 300) if lines else type(error).__name__


def _described(output: object) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    return f"a {type(output).__name__}"
