"""The slope of D, for penalties."""

import torch
from torch import Tensor

from ganbench.components import Discriminator, Images


def input_gradients(discriminator: Discriminator, points: Images) -> Images:
    """dD/dx at each of `points`, differentiable once more; same shape as `points`.

    True per image only where D treats the images of a batch independently.
    """
    if not points.requires_grad:
        points = points.detach().requires_grad_()
    total = discriminator(points).sum()
    (gradients,) = torch.autograd.grad(total, (points,), create_graph=True)
    return gradients


def gradient_norms(discriminator: Discriminator, points: Images) -> Tensor:
    """The L2 norm of dD/dx over all values of an image; [batch]. Its gradient at 0 is 0."""
    slopes = input_gradients(discriminator, points).flatten(1)
    norms: Tensor = torch.linalg.vector_norm(slopes, dim=1)
    return norms
