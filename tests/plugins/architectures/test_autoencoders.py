"""Discriminators that judge by their reconstruction's error."""

import pytest
import torch
from torch import nn

from ganbench_plugins.architectures.autoencoder import Autoencoder
from ganbench_plugins.architectures.conv_autoencoder import ConvAutoencoder
from ganbench_plugins.architectures.mlp_autoencoder import MLPAutoencoder


@pytest.mark.parametrize(("error", "logits"), [("l1", [-1.5, -2.25]), ("l2", [-2.5, -5.25])])
def test_the_logit_is_minus_the_mean_error_of_an_image(error, logits):
    """Rebuilt as zeros, an image's error is the mean of its values' sizes, or squares."""
    images = torch.tensor([[[[1.0, -1.0], [2.0, -2.0]]], [[[3.0, -2.0], [2.0, -2.0]]]])
    zeros = nn.Sequential(nn.Flatten(), nn.Linear(4, 4, bias=False), nn.Unflatten(1, (1, 2, 2)))
    nn.init.zeros_(zeros[1].weight)
    assert Autoencoder(nn.Identity(), zeros, error)(images).tolist() == logits


def test_a_perfect_reconstruction_has_a_logit_of_zero_and_a_finite_gradient():
    images = torch.randn(3, 1, 4, 4, requires_grad=True)
    for error in ("l1", "l2"):
        logits = Autoencoder(nn.Identity(), nn.Identity(), error)(images)
        assert not logits.any()
        (gradient,) = torch.autograd.grad(logits.sum(), images)
        assert not gradient.any()


@pytest.mark.parametrize(
    ("cls", "shape"), [(ConvAutoencoder, (3, 28, 28)), (MLPAutoencoder, (3,))], ids=str
)
@pytest.mark.parametrize("error", ["l1", "l2"])
def test_the_field_chooses_the_error(cls, shape, error):
    torch.manual_seed(0)
    _, discriminator = cls(width=4, code_size=2, error=error).build(shape)
    images = torch.rand(5, *shape) * 2 - 1
    with torch.no_grad():
        rebuilt = discriminator.decoder(discriminator.encoder(images))
        logits = discriminator(images)
    assert rebuilt.shape == images.shape
    difference = (rebuilt - images).double().numpy()
    power = {"l1": abs(difference), "l2": difference**2}[error]
    expected = -power.reshape(5, -1).mean(1)
    assert logits.numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("cls", "shape"), [(ConvAutoencoder, (1, 28, 28)), (MLPAutoencoder, (2,))], ids=str
)
def test_the_embedding_is_the_code(cls, shape):
    architecture = cls(width=4, code_size=7)
    assert architecture.discriminator_is_autoencoder is True
    _, discriminator = architecture.build(shape)
    images = torch.randn(3, *shape)
    assert discriminator.embed(images).shape == (3, 7)
    assert torch.equal(discriminator.embed(images), discriminator.encoder(images))
    # Linear: a code takes both signs, and its size is bounded by nothing.
    assert discriminator.embed(1e3 * torch.randn(50, *shape)).abs().max() > 1


def test_the_convolutional_one_starts_as_dcgan_does():
    torch.manual_seed(0)
    for network in ConvAutoencoder().build((3, 32, 32)):
        weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() == 4])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)


def test_the_convolutional_one_has_no_batch_norm_in_its_discriminator_by_default():
    generator, discriminator = ConvAutoencoder(width=4).build((3, 32, 32))
    assert any(isinstance(m, nn.BatchNorm2d) for m in generator.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in discriminator.modules())
