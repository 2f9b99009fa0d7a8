"""The shape that every bundled discriminator has."""

from torch import Tensor, nn

from ganbench.api import Embeddings, Images, Logits


class Discriminator(nn.Module):
    """A body that embeds images and a head that judges them.

    Args:
        body: Images -> any shape with the batch first.
        head: the body's output -> one logit per image, in any shape.
    """

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def embed(self, images: Images) -> Embeddings:
        embeddings: Tensor = self.body(images)
        return embeddings.flatten(1)

    def forward(self, images: Images) -> Logits:
        logits: Tensor = self.head(self.body(images))
        return logits.flatten()
