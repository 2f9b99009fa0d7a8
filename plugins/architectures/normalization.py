"""How D is normalised: one table for every architecture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

ImageNorm: TypeAlias = Literal["none", "batch", "layer", "instance", "spectral"]
VectorNorm: TypeAlias = Literal["none", "batch", "layer", "spectral"]


@dataclass(frozen=True)
class Normalization:
    """What one way of normalising a network adds to it.

    Args:
        of_maps: the layer behind a convolution with so many channels.
        of_vectors: the layer behind a fully connected layer with so many units.
        bounds_weights: each weight is divided by its largest singular value.
        mixes_samples: an image's output depends on the others in its batch. It takes the mean
            out too, so that the layer before needs no bias.
        smallest_side: of the maps that it can normalise.
    """

    of_maps: Callable[[int], nn.Module] = nn.Identity
    of_vectors: Callable[[int], nn.Module] = nn.Identity
    bounds_weights: bool = False
    mixes_samples: bool = False
    smallest_side: int = 1

    def finish(self, network: nn.Module) -> None:
        """Do what has to wait until the network has its first weights."""
        if self.bounds_weights:
            for layer in list(network.modules()):
                if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                    spectral_norm(layer)


NORMALIZATIONS: Mapping[str, Normalization] = {
    "none": Normalization(),
    "batch": Normalization(nn.BatchNorm2d, nn.BatchNorm1d, mixes_samples=True),
    # One group is WGAN-GP's layer norm: mean and variance over all of an image's values, a scale
    # and a shift for each channel.
    "layer": Normalization(partial(nn.GroupNorm, 1), nn.LayerNorm),
    "instance": Normalization(partial(nn.InstanceNorm2d, affine=True), smallest_side=2),
    "spectral": Normalization(bounds_weights=True),
}
