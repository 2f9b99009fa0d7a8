"""The contracts that a plugin fulfils, and the names of the tensors in them.

A component's hyper-parameters are its constructor's typed arguments, in practice the fields of
a frozen dataclass, bounded by `Annotated[int, Ge(1)]` (from `annotated_types`) or checked in
`__post_init__` with a ValueError. A component that must keep state between steps is an
`nn.Module` with buffers. `version` rises whenever the numbers it gives change.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from ganbench.data import Data, Shape
from ganbench.randomness import Noise

Images: TypeAlias = Tensor  # float, [-1, 1], [batch, channels, height, width]; [batch, features]
Latents: TypeAlias = Tensor  # standard normal, [batch, latent_size]
Logits: TypeAlias = Tensor  # D before any sigmoid, [batch]; larger is more real
Scalar: TypeAlias = Tensor  # shape []
Samples: TypeAlias = Tensor  # uint8 [batch, channels, height, width]; float [batch, features]
Discriminator: TypeAlias = Callable[[Images], Logits]
Direction: TypeAlias = Literal["lower", "higher"]  # which values of a metric are better


class Loss(Protocol):
    """What D and G descend, as functions of D's logits: pure, and a scalar each.

    Optional: `needs_real_in_generator_step: ClassVar[bool]` (G's step then gets D's logits of a
    fresh real batch), and `constrain(discriminator: nn.Module) -> None`, the last act of a
    discriminator step (weight clipping).
    """

    version: ClassVar[int]

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar: ...
    def generator_loss(self, fake: Logits, real: Logits | None) -> Scalar: ...


class Penalty(Protocol):
    """A term added to D's loss that needs D itself.

    Optional: `per_sample_discriminator: ClassVar[bool]`: refuse a D whose output for one image
    depends on the others in the batch.
    """

    version: ClassVar[int]

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar: ...


class Architecture(Protocol):
    """A generator and a discriminator made for each other.

    `check` raises Unsupported, naming the shapes it can make. `build` returns two fresh modules,
    G: Latents -> Images and D: Images -> Logits, initialised from torch's global generator,
    which the harness has seeded.
    """

    version: ClassVar[int]

    @property
    def latent_size(self) -> int: ...
    @property
    def discriminator_mixes_samples(self) -> bool: ...
    def check(self, shape: Shape) -> None: ...
    def build(self, shape: Shape) -> tuple[nn.Module, nn.Module]: ...


class Schedule(Protocol):
    """Who moves when: D's steps before the generator step of this number, counted from 0."""

    version: ClassVar[int]

    def discriminator_steps(self, generator_step: int) -> int: ...


class Dataset(Protocol):
    """Where real samples come from.

    `load` reads and never downloads; it raises NotPrepared where `prepare` has to come first,
    and BadInput, naming the file, for one that can't be read. `folder` is ganbench's data folder.
    `metrics` are the specs of the metrics that suit it, the headline first; `architecture` is
    the spec of the networks that it is trained with unless others are asked for.
    """

    version: ClassVar[int]
    architecture: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]

    def prepare(self, folder: Path) -> None: ...
    def load(self, folder: Path) -> Data: ...


class Metric(Protocol):
    """A score of generated samples against a reference.

    `directions` names each value of `result` and which way is better, the headline first.
    `settings` says what else the numbers depend on (extractor, resize, quantisation).
    `check` raises Unsupported where this data can't be scored, NotPrepared where weights lack.
    `start` is called once a run; then, for each evaluation, `update` with batches and `result`,
    which also empties what `update` gathered.
    """

    version: ClassVar[int]
    directions: ClassVar[Mapping[str, Direction]]

    @property
    def settings(self) -> tuple[str, ...]: ...
    def check(self, reference: Data) -> None: ...
    def start(self, reference: Data, device: torch.device) -> None: ...
    def update(self, samples: Samples) -> None: ...
    def result(self) -> dict[str, float]: ...
