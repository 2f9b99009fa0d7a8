"""What an extractor sees in a set of samples, gathered in one pass."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

import torch
from torch import Tensor

from ganbench.acceleration import full_precision
from ganbench.data import Samples
from ganbench.errors import ContractBroken
from ganbench.moments import Moments

T = TypeVar("T")
Part: TypeAlias = Literal["moments", "values", "logits", "class_counts"]

# The tensors that each part of a summary consists of.
PARTS: Mapping[Part, tuple[str, ...]] = {
    "moments": ("mean", "covariance", "evenly"),
    "values": ("values",),
    "logits": ("logits",),
    "class_counts": ("class_counts",),
}
EVEN = 2_000  # values that `evenly` holds, at most


class Features(NamedTuple):
    """What an extractor makes of a batch.

    Args:
        values: float [batch, features].
        logits: of the classes that it tells apart, float [batch, classes], if it does.
    """

    values: Tensor
    logits: Tensor | None = None


Network: TypeAlias = Callable[[Samples], Features]


class Summary:
    """What a metric may know of one set of samples: the parts that it `needs`, and the count.

    Args:
        count: samples.
        tensors: by the names of the properties below.
    """

    def __init__(self, count: int, tensors: Mapping[str, Tensor]) -> None:
        self.count = count
        self.tensors = dict(tensors)
        self._derived: dict[str, Any] = {}

    @property
    def mean(self) -> Tensor:
        """Float64 [features]; of the part `moments`."""
        return self.tensors["mean"]

    @property
    def covariance(self) -> Tensor:
        """Float64 [features, features], divided by count - 1; of the part `moments`."""
        return self.tensors["covariance"]

    @property
    def evenly(self) -> Tensor:
        """Up to 2,000 of the values, spread evenly over the set; of the part `moments`."""
        return self.tensors["evenly"]

    @property
    def values(self) -> Tensor:
        """All values, float32 [count, features]; the part `values`."""
        return self.tensors["values"]

    @property
    def logits(self) -> Tensor:
        """All logits, float32 [count, classes]; the part `logits`."""
        return self.tensors["logits"]

    @property
    def class_counts(self) -> Tensor:
        """Samples by the class of their largest logit, int64 [classes]; the part `class_counts`."""
        return self.tensors["class_counts"]

    def derived(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returns, made once for this summary and this name."""
        if name not in self._derived:
            self._derived[name] = make()
        made: T = self._derived[name]
        return made

    @cached_property
    def covariance_root(self) -> Tensor:
        """The symmetric square root of `covariance`, made once."""
        eigenvalues, vectors = torch.linalg.eigh(self.covariance)
        root: Tensor = (vectors * eigenvalues.clamp(min=0).sqrt()) @ vectors.T
        return root


class Gatherer:
    """Makes a summary of features that come in batches.

    Memory grows with the number of samples only by the parts `values` and `logits`.

    Args:
        parts: what to gather.
        count: how many samples there will be, exactly.
    """

    def __init__(self, parts: Collection[Part], count: int) -> None:
        self._parts = parts
        self._count = count
        self._stride = -(-count // EVEN)
        self._seen = 0
        self._moments = Moments()
        self._rows = {"values": _Rows(count), "logits": _Rows(count)}
        self._evenly = _Rows(-(-count // self._stride))
        self._class_counts: Tensor | None = None

    def add(self, features: Features) -> None:
        """Take a batch in."""
        values, logits = features
        if "moments" in self._parts:
            self._moments.update(values)
            self._evenly.add(values[-self._seen % self._stride :: self._stride])
        if "values" in self._parts:
            self._rows["values"].add(values)
        if logits is not None and "logits" in self._parts:
            self._rows["logits"].add(logits)
        if logits is not None and "class_counts" in self._parts:
            found = torch.bincount(logits.argmax(1), minlength=logits.shape[1])
            before = self._class_counts
            self._class_counts = found if before is None else before + found
        self._seen += len(values)

    def summary(self) -> Summary:
        """Everything that was gathered."""
        assert self._seen == self._count
        tensors = {name: rows.filled for name, rows in self._rows.items() if rows.used}
        if "moments" in self._parts:
            tensors["evenly"] = self._evenly.filled
            tensors["mean"], tensors["covariance"] = self._moments.mean, self._moments.covariance
        if self._class_counts is not None:
            tensors["class_counts"] = self._class_counts
        return Summary(self._count, tensors)


class _Rows:
    """Float32 rows in a tensor that is made once, as long as it will be: never held twice."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tensor = torch.empty(0)
        self.used = 0

    def add(self, rows: Tensor) -> None:
        if not self.used:
            self._tensor = rows.new_empty((self._count, rows.shape[1]), dtype=torch.float32)
        self._tensor[self.used : self.used + len(rows)] = rows
        self.used += len(rows)

    @property
    def filled(self) -> Tensor:
        assert self.used == self._count
        return self._tensor


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


class Pass:
    """One pass over samples that come in pieces of any size.

    Args:
        network: gets them in batches of `batch_size`, in full precision.
        extractor: the class that is to blame where the network breaks its contract.
    """

    def __init__(
        self,
        network: Network,
        batch_size: int,
        parts: Collection[Part],
        count: int,
        extractor: type = object,
    ) -> None:
        self._network = network
        self._extractor = extractor
        self._of_classes = bool({"logits", "class_counts"} & set(parts))
        self._batches = FixedBatches(batch_size)
        self._gatherer = Gatherer(parts, count)

    def add(self, samples: Samples) -> None:
        self._see(self._batches.add(samples))

    def summary(self) -> Summary:
        """What was seen, when all samples have been added."""
        self._see(self._batches.rest())
        return self._gatherer.summary()

    def _see(self, batches: Iterable[Samples]) -> None:
        with full_precision():
            for batch in batches:
                features = self._network(batch)
                fault = _fault(features, len(batch), of_classes=self._of_classes)
                if fault:
                    raise ContractBroken(self._extractor, fault)
                self._gatherer.add(features)


def _fault(features: object, count: int, *, of_classes: bool) -> str:
    """What is wrong with what a network made of so many samples; empty if nothing is."""
    if not isinstance(features, Features):
        return f"has to return Features; it returned {type(features).__name__}"
    if of_classes and features.logits is None:
        return "has to return logits, since it names classes; it returned none"
    for name, part in features._asdict().items():
        if part is None and name in features._field_defaults:
            continue
        if not isinstance(part, Tensor) or part.dim() != 2 or len(part) != count:
            shape = list(part.shape) if isinstance(part, Tensor) else type(part).__name__
            return f"has to return {name} [{count}, features] of {count} samples; it made {shape}"
        if not part.isfinite().all():
            return f"made {name} that are not finite of sound samples"
    return ""
