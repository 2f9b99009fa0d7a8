"""Batches of one size for a network, whatever size the samples come in."""

from dataclasses import dataclass, field

import torch

from ganbench.api import Samples


@dataclass
class FixedBatches:
    """Cut a stream of samples into batches of `size`.

    A network's rounding depends on the batch size, so the same samples always have to reach it
    in the same batches.
    """

    size: int
    _waiting: list[Samples] = field(default_factory=list, init=False, repr=False)

    def add(self, samples: Samples) -> list[Samples]:
        """Return the batches that `samples` completes."""
        pending = torch.cat([*self._waiting, samples])
        whole = len(pending) - len(pending) % self.size
        self._waiting = [pending[whole:]]
        return list(torch.split(pending[:whole], self.size)) if whole else []

    def rest(self) -> list[Samples]:
        """Return the last, smaller batch, if there is one, and start anew."""
        waiting, self._waiting = self._waiting, []
        return [batch for batch in waiting if len(batch)]
