"""The Inception network of FID."""

from typing import Any

import torch
from pytorch_fid.inception import (
    FIDInceptionA,
    FIDInceptionC,
    FIDInceptionE_1,
    FIDInceptionE_2,
)
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import inception_v3
from torchvision.models.inception import BasicConv2d

from ganbench.api import Features, Samples

from .images import in_colour
from .weights import Weights

SIDE = 299  # pixels
CLASSES = 1008
# Images that go through the stem at once on a CPU. Of 50, activations there are hundreds of
# megabytes, for which the system finds new, zeroed memory each time: a fifth of all time. In the
# trunk they are smaller, and pieces would only be more joints for threads to wait at.
_PIECE = 10
_STEM_LAYERS = 7  # up to the second max pooling


class InceptionNetwork(nn.Module):
    """The 2,048 values after Inception's last pooling ("pool3"), as pytorch-fid computes them.

    Images are resized to 299x299 bilinearly, without antialiasing; grey ones are repeated to three
    channels. The logits lack the last layer's bias, which the first Inception Score left out.

    It is pytorch-fid's network made faster: channels last in memory, each batch norm folded into
    the convolution before it (in float64) and, on a CPU, few images at a time in the stem.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        network: Any = empty_inception()
        weights.put_into(network, "FID's Inception")
        network = _folded(network.eval().double()).float().requires_grad_(False)
        network = network.to(memory_format=torch.channels_last)
        *layers, _dropout, self.classifier = network.children()
        self.stem = nn.Sequential(*layers[:_STEM_LAYERS])
        self.trunk = nn.Sequential(*layers[_STEM_LAYERS:], nn.Flatten())
        self.classifier.bias = None
        self.eval()

    def forward(self, images: Samples) -> Features:
        pieces = images.split(_PIECE) if images.device.type == "cpu" else (images,)
        values = self.trunk(torch.cat([self._second_pool(piece) for piece in pieces]))
        return Features(values, self.classifier(values))

    def _second_pool(self, images: Samples) -> Tensor:
        resized = interpolate(
            in_colour(images.float() / 255), (SIDE, SIDE), mode="bilinear", align_corners=False
        )
        inputs = (2 * resized - 1).contiguous(memory_format=torch.channels_last)
        pooled: Tensor = self.stem(inputs)
        return pooled


def _folded(network: nn.Module) -> nn.Module:
    """Put each batch norm into its convolution: the same function, in fewer passes over memory."""
    for name, module in list(network.named_modules()):
        if isinstance(module, BasicConv2d):
            convolution = fuse_conv_bn_eval(module.conv, module.bn)
            network.set_submodule(name, nn.Sequential(convolution, nn.ReLU(inplace=True)))
    return network


def empty_inception() -> nn.Module:
    """Build `pytorch_fid.inception.fid_inception_v3` without its download, and without weights."""
    with torch.device("meta"):  # draws no initial weights from the global generator
        network: nn.Module = inception_v3(
            weights=None, num_classes=CLASSES, aux_logits=False, init_weights=False
        )
        network.Mixed_5b = FIDInceptionA(192, pool_features=32)
        network.Mixed_5c = FIDInceptionA(256, pool_features=64)
        network.Mixed_5d = FIDInceptionA(288, pool_features=64)
        network.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
        network.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
        network.Mixed_7b = FIDInceptionE_1(1280)
        network.Mixed_7c = FIDInceptionE_2(2048)
    return network
