"""What the Fréchet distances on an Inception network share."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch

from ganbench.api import Data, Unsupported

from .feature_distance import Extractor, FeatureDistance
from .inception import InceptionFeatures, WeightsFile

CHANNELS = (1, 3)


@dataclass
class InceptionDistance(FeatureDistance):
    """A Fréchet distance on pool3 features; a subclass says which weights it takes."""

    batch_size: ClassVar[int] = 50  # pytorch-fid's

    weights: Annotated[str, "location"] = ""

    _digest: str = field(init=False, repr=False, compare=False)

    @property
    @abstractmethod
    def metric(self) -> str:
        """The name it is asked for by."""

    @abstractmethod
    def weights_file(self) -> WeightsFile:
        """Return the weights; raise NotPrepared or BadInput."""

    def check(self, reference: Data) -> None:
        if not reference.is_images or reference.shape[0] not in CHANNELS:
            kind = "images" if reference.is_images else "points"
            raise Unsupported(
                f"{self.metric} needs images with 1 or 3 channels; "
                f"it was given {kind} of shape {reference.shape}"
            )
        self._load()

    def extractor(self, device: torch.device) -> Extractor:
        return self._load().to(device)

    def _load(self) -> InceptionFeatures:
        weights = self.weights_file()
        self._digest = weights.digest
        return InceptionFeatures(weights)
