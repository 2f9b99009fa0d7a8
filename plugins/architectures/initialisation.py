"""The distributions that first weights are drawn from."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from torch import Tensor, nn

Initialisation: TypeAlias = Literal["normal", "glorot", "orthogonal"]


def _normal(weight: Tensor, _gain: float) -> None:
    nn.init.normal_(weight, 0.0, 0.02)


def _orthogonal(weight: Tensor, _gain: float) -> None:
    nn.init.orthogonal_(weight)


_DISTRIBUTIONS: Mapping[str, Callable[[Tensor, float], object]] = {
    "normal": _normal,
    "glorot": nn.init.xavier_uniform_,
    "orthogonal": _orthogonal,
}


def initialise(network: nn.Module, initialisation: Initialisation, gain: float = 1.0) -> None:
    """Draw the weights of all linear and convolutional layers anew; their biases become zero.

    Args:
        network: the network, not yet normalised spectrally.
        initialisation: `normal`, N(0, 0.02); `glorot`, uniform with a standard deviation of
            gain sqrt(2 / (fan in + fan out)); or `orthogonal`.
        gain: the literature has one for `glorot` only.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            _DISTRIBUTIONS[initialisation](layer.weight, gain)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
