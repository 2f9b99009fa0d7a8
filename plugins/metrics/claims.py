"""How wrong a discriminator's logits are, by what they claim, whatever the loss."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganbench.api import Logits, Loss

Errors: TypeAlias = Callable[[Logits, Tensor], Tensor]  # of logits, where these log ratios are true

SURE = 15.0  # a log ratio at which a chance is 0 or 1 to six digits


def errors_of(loss: Loss) -> Errors | None:
    """Return what tells how wrong logits are under this loss; None if no finite ones are best.

    Where each ratio has an optimal logit of its own, a logit claims a chance of being real. Where
    there are but two, as of `hinge`, it claims a decision, between the two in proportion.
    """
    optimum: Callable[[Tensor], Tensor] | None = getattr(loss, "optimal_logits", None)
    if optimum is None:
        return None
    ratios = torch.linspace(-SURE, SURE, 3001, dtype=torch.float64)
    optimal = optimum(ratios)
    if not optimal.isfinite().all() or optimal[0] == optimal[-1]:
        return None
    logits, first = np.unique(optimal.numpy(), return_index=True)
    if len(logits) < len(ratios):
        return partial(_wrong_decisions, optimal[0], optimal[-1])
    return partial(_wrong_chances, logits, ratios.sigmoid().numpy()[first])


def _wrong_chances(
    logits: NDArray[np.float64], chances: NDArray[np.float64], found: Logits, ratio: Tensor
) -> Tensor:
    """The chance that D claims, less the true one."""
    claimed = np.asarray(np.interp(found.numpy(), logits, chances))
    return torch.from_numpy(claimed) - ratio.sigmoid()


def _wrong_decisions(fake: Tensor, real: Tensor, found: Logits, ratio: Tensor) -> Tensor:
    """How far D is from the right decision, times by how much that is the likelier one."""
    decided = ((found - fake) / (real - fake)).clamp(0, 1)
    return (decided - (ratio > 0).double()) * (ratio / 2).tanh().abs()
