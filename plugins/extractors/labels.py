"""Whether images are what a classifier was made for."""

from ganbench.api import Data, Network

_LOOKED_AT = 500
_LEAST_AGREEMENT = 0.9  # MNIST has 0.99, and three of its digits at once 0.98


def agree(network: Network, reference: Data) -> bool:
    """Whether the classes that `network` names in the first images are nearly all their labels."""
    assert reference.labels is not None
    logits = network(reference.samples[:_LOOKED_AT]).logits
    assert logits is not None
    right = logits.argmax(1) == reference.labels[:_LOOKED_AT]
    return right.double().mean().item() >= _LEAST_AGREEMENT
