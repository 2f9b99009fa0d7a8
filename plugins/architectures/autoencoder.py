"""A discriminator that judges by how well it can rebuild what it sees."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ganbench.api import Embeddings, Images, Logits

ReconstructionError: TypeAlias = Literal["l1", "l2"]

_ERRORS: Mapping[str, Callable[[Tensor], Tensor]] = {"l1": torch.abs, "l2": torch.square}


class Autoencoder(nn.Module):
    """D(x) = -mean over an image's values of |x' - x|^p, x' = decoder(encoder(x)).

    Args:
        encoder: Images -> codes, in any shape with the batch first.
        decoder: codes in that shape -> Images.
        error: `l1`, p = 1; `l2`, p = 2.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, error: ReconstructionError) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.error = _ERRORS[error]

    def embed(self, images: Images) -> Embeddings:
        codes: Tensor = self.encoder(images)
        return codes.flatten(1)

    def forward(self, images: Images) -> Logits:
        rebuilt: Tensor = self.decoder(self.encoder(images))
        return -self.error(rebuilt - images).flatten(1).mean(1)
