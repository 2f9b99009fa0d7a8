"""The contracts that a plugin fulfils, and the names of the tensors in them.

A component's hyper-parameters are its constructor's typed arguments, in practice the fields of
a frozen dataclass, bounded by `Annotated[int, Ge(1)]` (from `annotated_types`) or checked in
`__post_init__` with a ValueError. A component that must keep state between steps is an
`nn.Module` with buffers, and with nothing but tensors in its state. `version` rises whenever the
numbers it gives change.

What a component is given it shares with others, and changes nothing of it in place; the networks'
weights are changed by nothing but the optimizers, and by `constrain`. A loss or penalty returns a
float scalar on the logits' device. Whatever breaks these rules is refused where that can be seen,
which is by autograd's eyes: not behind `tensor.data`, nor in a network's weights.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from ganbench.data import Data, Samples, Shape
from ganbench.features import Network, Part, Summary
from ganbench.randomness import Noise

Images: TypeAlias = Tensor  # float, [-1, 1], [batch, channels, height, width]; [batch, features]
Latents: TypeAlias = Tensor  # [batch, latent_size]; standard normal, or as the protocol says
Logits: TypeAlias = Tensor  # D before any sigmoid, [batch]; larger is more real
Scalar: TypeAlias = Tensor  # shape []
Embeddings: TypeAlias = Tensor  # D's last layer before its logits, [batch, features]
Generator: TypeAlias = Callable[[Latents], Images]
Direction: TypeAlias = Literal["lower", "higher"]  # which values of a metric are better


class Discriminator(Protocol):
    """D as the parts of an objective see it; a batch has its logits made once, whoever asks."""

    def __call__(self, images: Images) -> Logits: ...
    def embed(self, images: Images) -> Embeddings: ...


class Loss(Protocol):
    """What D and G descend, as functions of D's logits: a scalar each.

    Optional facts, as class attributes:
        needs_real_in_generator_step: G's step gets D's logits of a fresh real batch too.
        pairs_samples: the i-th real logit meets the i-th fake one, so that their order matters.
        uses_embeddings: both methods get D's embeddings in place of its logits.
        needs_autoencoder: D's logits have to be minus a reconstruction error.
        recommended: settings of its paper, for `--rules recommended`: fields of a protocol, and
            `schedule`, as text. Penalties may have them too, and win over the loss's.

    Optional: `constrain(discriminator: nn.Module) -> None`, the last act of a discriminator step
    (weight clipping); and `optimal_logits(log_ratio: Tensor) -> Tensor`, the logits of the D that
    is optimal for a fixed G, where log_ratio is log(p_real / p_fake), of any shape.
    """

    version: ClassVar[int]

    def discriminator_loss(self, real: Logits, fake: Logits) -> Scalar: ...
    def generator_loss(self, fake: Logits, real: Logits | None) -> Scalar: ...


class Penalty(Protocol):
    """A term of D's loss that needs D itself.

    Optional facts, as class attributes:
        per_sample_discriminator: refuse a D whose output for one image depends on the others in
            its batch.
        uses_embeddings: it calls D's `embed`.
        differentiates_real, differentiates_fake: it asks for D's gradient at these very batches;
            they then come with `requires_grad`, so that D's forward pass is shared.
        recommended: as of a loss.

    Optional: `strength(discriminator_step: int) -> float`, what the term is multiplied with in D's
    step of this number, from 0 (with 0 it is not even computed); and, of any part of an objective,
    `check(shape: Shape) -> None`, which raises Unsupported for data that it can't work on.
    """

    version: ClassVar[int]

    def __call__(
        self, discriminator: Discriminator, real: Images, fake: Images, noise: Noise
    ) -> Scalar: ...


# What else `+` adds to a loss. A component may be several of these at once, and a penalty too.


class LatentPenalty(Protocol):
    """A term of D's loss that needs G, which carries no graph, and the latents of the fakes."""

    version: ClassVar[int]

    def latent_term(
        self,
        discriminator: Discriminator,
        generator: Generator,
        latents: Latents,
        fake: Images,
        noise: Noise,
    ) -> Scalar: ...


class GeneratorPenalty(Protocol):
    """A term of G's loss. Optional, as of a penalty: `uses_embeddings`."""

    version: ClassVar[int]

    def generator_term(
        self,
        discriminator: Discriminator,
        generator: Generator,
        latents: Latents,
        fake: Images,
        noise: Noise,
    ) -> Scalar: ...


class Augmentation(Protocol):
    """What D sees in place of images, real or generated, in both players' steps; differentiable."""

    version: ClassVar[int]

    def augment(self, images: Images, noise: Noise) -> Images: ...


class FakeSelection(Protocol):
    """Which fakes count in G's step of this number, from 0: some of the logits, in any order."""

    version: ClassVar[int]

    def select(self, fake: Logits, generator_step: int) -> Logits: ...


Addition: TypeAlias = Penalty | LatentPenalty | GeneratorPenalty | Augmentation | FakeSelection


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
    """Who moves when: D's steps before the generator step of this number, counted from 0.

    Optional: `accepts(real: Logits, fake: Logits) -> bool`, whether D moves in a step in which
    these are its logits; asked when the step's loss has been computed.
    """

    version: ClassVar[int]

    def discriminator_steps(self, generator_step: int) -> int: ...


class Dataset(Protocol):
    """Where real samples come from.

    `load` reads and never downloads; it raises NotPrepared where `prepare` has to come first,
    and BadInput, naming the file, for one that can't be read. `folder` is ganbench's data folder.
    `metrics` are the specs of the metrics that suit it, the headline first, and `extractor`, where
    there is one, of what sees its features; `architecture` is the spec of the networks that it is
    trained with unless others are asked for, and `autoencoder`, where there is one, of those for
    losses that need an auto-encoding D.

    Optional: the class method `fields_for(path: str, channels: int) -> Mapping[str, str]`, of a
    data set that reads what lies at any path: its fields for that.
    """

    version: ClassVar[int]
    architecture: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]

    def prepare(self, folder: Path) -> None: ...
    def load(self, folder: Path) -> Data: ...


class Estimate(NamedTuple):
    """A metric's value, and how far chance moves it.

    Args:
        noise: the standard error of `value` over draws of as many samples from the same
            generator, the reference being fixed; NaN where it is not known.
    """

    value: float
    noise: float = float("nan")


class Metric(Protocol):
    """A score of generated samples against a reference; one on features is a FeatureMetric.

    `directions` names each value of `result`, one at least, and which way is better, the headline
    first.
    `settings` says what else the numbers depend on.
    `check` raises Unsupported where this data can't be scored.
    `start` is called once a run; then, for each evaluation, `update` with batches and `result`,
    which also empties what `update` gathered. A value is a float where its noise is unknown.

    Optional: `judge(discriminator: Discriminator, loss: Loss) -> None`, which gets D before
    `result`; such a metric scores runs alone, and not sets of samples.
    """

    version: ClassVar[int]
    directions: ClassVar[Mapping[str, Direction]]

    @property
    def settings(self) -> tuple[str, ...]: ...
    def check(self, reference: Data) -> None: ...
    def start(self, reference: Data, device: torch.device) -> None: ...
    def update(self, samples: Samples) -> None: ...
    def result(self) -> Mapping[str, float | Estimate]: ...


class FeatureMetric(Protocol):
    """A score that is a pure function of what an extractor sees in two sets of samples.

    All such metrics of a run share one pass of each extractor over the samples.
    `needs` are the parts of the summaries that it uses; `directions` and `settings` are as of a
    Metric, without what the extractor says of itself. `least_samples` is the smallest number that
    it can do with, on either side.

    Optional: `needs_of_real: ClassVar[frozenset[Part]]`, where fewer parts of `real` do;
    `extractor: ClassVar[str]`, the name of the only extractor whose numbers have this
    metric's name; and `check(extractor: Extractor) -> None`, which raises Unsupported or BadInput
    for one whose features it can't use.
    """

    version: ClassVar[int]
    directions: ClassVar[Mapping[str, Direction]]
    needs: ClassVar[frozenset[Part]]

    @property
    def settings(self) -> tuple[str, ...]: ...
    @property
    def least_samples(self) -> int: ...
    def compare(self, real: Summary, generated: Summary) -> Mapping[str, float | Estimate]: ...


class Extractor(Protocol):
    """What turns samples into the features that metrics compare.

    `batch_size` is fixed, because rounding depends on it. `settings` says what the features
    depend on (network, digest of its weights, resize, quantisation), once `check` has been called;
    it never downloads, and raises Unsupported where this data can't be taken, NotPrepared where
    `prepare` has to come first, BadInput for what a field names and can't be used.
    `load` returns the network, on the device and in evaluation mode.

    Optional: `names_classes: ClassVar[bool]`, whether its features come with logits; and
    `prepare() -> None`, for `ganbench prepare`, which fetches what is not there. No folder is
    handed over: it puts files where `check` looks for them, as torch hub's cache is. `check` comes
    right after, and finds out whether they are sound.
    """

    version: ClassVar[int]
    batch_size: ClassVar[int]

    @property
    def settings(self) -> tuple[str, ...]: ...
    def check(self, reference: Data) -> None: ...
    def load(self, device: torch.device) -> Network: ...
