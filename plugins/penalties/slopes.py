"""Where the slope of D is taken, and the square of it."""

import torch
from torch import Tensor

from ganbench.api import Discriminator, Images, Noise, input_gradients


def between(real: Images, fake: Images, noise: Noise) -> Images:
    """A point on the line from each real image to a fake, uniform along it."""
    return torch.lerp(real.detach(), fake.detach(), noise.uniform_like_batch(real))


def squared_slopes(discriminator: Discriminator, points: Images) -> Tensor:
    """|dD/dx|^2, summed over all values of an image; [batch]."""
    return input_gradients(discriminator, points).flatten(1).square().sum(dim=1)
