"""What moves a player, by its name in a protocol."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import torch
from torch import nn
from torch.optim import Optimizer

from ganbench.protocol import TrainingProtocol

_Make: TypeAlias = Callable[[Iterable[nn.Parameter], float, TrainingProtocol], Optimizer]


def _adam(parameters: Iterable[nn.Parameter], lr: float, settings: TrainingProtocol) -> Optimizer:
    betas = (settings.beta1, settings.beta2)
    return torch.optim.Adam(parameters, lr, betas, settings.epsilon, fused=True)


def _rmsprop(
    parameters: Iterable[nn.Parameter], lr: float, settings: TrainingProtocol
) -> Optimizer:
    return torch.optim.RMSprop(
        parameters, lr, alpha=settings.beta2, eps=settings.epsilon, momentum=settings.beta1
    )


def _sgd(parameters: Iterable[nn.Parameter], lr: float, settings: TrainingProtocol) -> Optimizer:
    return torch.optim.SGD(parameters, lr, momentum=settings.beta1, fused=True)


_OPTIMIZERS: Mapping[str, _Make] = {"adam": _adam, "rmsprop": _rmsprop, "sgd": _sgd}


def optimizer(network: nn.Module, lr: float, settings: TrainingProtocol) -> Optimizer:
    """The protocol's optimizer for all of a network's parameters."""
    return _OPTIMIZERS[settings.optimizer](network.parameters(), lr, settings)
