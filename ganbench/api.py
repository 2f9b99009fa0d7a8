"""All that a plugin may import.

`hookimpl` and the errors come at once; everything that needs torch comes when it is used, so
that a plugin can be listed without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ganbench.errors import BadInput, NotPrepared, Unsupported
from ganbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from ganbench.components import (
        Direction,
        Discriminator,
        Embeddings,
        Estimate,
        Extractor,
        Generator,
        Images,
        Latents,
        Logits,
        Loss,
        Scalar,
    )
    from ganbench.data import Data, Mixture, Samples, Shape
    from ganbench.features import Features, Network, Part, Summary
    from ganbench.gradients import gradient_norms, input_gradients
    from ganbench.moments import Moments
    from ganbench.protocol import TrainingProtocol
    from ganbench.randomness import Noise

_LAZY = {
    "ganbench.components": (
        "Direction", "Discriminator", "Embeddings", "Estimate", "Extractor", "Generator", "Images",
        "Latents", "Logits", "Loss", "Scalar",
    ),
    "ganbench.data": ("Data", "Mixture", "Samples", "Shape"),
    "ganbench.features": ("Features", "Network", "Part", "Summary"),
    "ganbench.gradients": ("gradient_norms", "input_gradients"),
    "ganbench.moments": ("Moments",),
    "ganbench.protocol": ("TrainingProtocol",),
    "ganbench.randomness": ("Noise",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "hookimpl",
    "BadInput",
    "NotPrepared",
    "Unsupported",
    "Data",
    "Direction",
    "Discriminator",
    "Embeddings",
    "Estimate",
    "Extractor",
    "Features",
    "Generator",
    "Images",
    "Latents",
    "Logits",
    "Loss",
    "Mixture",
    "Moments",
    "Network",
    "Noise",
    "Part",
    "Samples",
    "Scalar",
    "Shape",
    "Summary",
    "TrainingProtocol",
    "gradient_norms",
    "input_gradients",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ganbench.api' has no attribute '{name}'")
    return getattr(import_module(_MODULE_OF[name]), name)
