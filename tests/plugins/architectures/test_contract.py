"""What every bundled architecture keeps to, in each normalisation of its D."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

from ganbench.api import Unsupported
from ganbench_plugins.architectures import ganbench_architectures
from ganbench_plugins.architectures.conv_autoencoder import ConvAutoencoder
from ganbench_plugins.architectures.dcgan import DCGAN
from ganbench_plugins.architectures.infogan_conv import InfoGANConv
from ganbench_plugins.architectures.mlp import MLP
from ganbench_plugins.architectures.mlp_autoencoder import MLPAutoencoder
from ganbench_plugins.architectures.r3gan import R3GAN
from ganbench_plugins.architectures.resnet import ResNet
from ganbench_plugins.architectures.sndcgan import SNDCGAN

EVERY_EIGHT = [8, 16, 24, 32, 40, 48, 56, 64]
HALVED = [8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]

# A small one of each class, the shape that most tests use, and the sides that it makes.
SMALL: list[tuple[type, dict[str, Any], tuple[int, ...], list[int]]] = [
    (ConvAutoencoder, {"width": 4, "code_size": 5}, (1, 16, 16), HALVED),
    (DCGAN, {"width": 4}, (1, 16, 16), HALVED),
    (InfoGANConv, {"width": 4}, (1, 12, 12), list(range(8, 65, 4))),
    (MLP, {"width": 16}, (3,), []),
    (MLPAutoencoder, {"width": 16, "code_size": 2}, (3,), []),
    (R3GAN, {"width": 8, "blocks": 1}, (1, 16, 16), [8, 16, 32, 64]),
    (ResNet, {"generator_width": 6, "discriminator_width": 8}, (3, 16, 16), EVERY_EIGHT),
    (SNDCGAN, {"width": 4}, (3, 16, 16), EVERY_EIGHT),
]
IMAGE_NORMS = ["none", "batch", "layer", "instance", "spectral"]
NORMS = {
    ConvAutoencoder: IMAGE_NORMS,
    DCGAN: IMAGE_NORMS,
    InfoGANConv: ["none", "batch", "layer", "spectral"],
    MLP: ["none", "batch", "layer", "spectral"],
    MLPAutoencoder: ["none", "batch", "layer", "spectral"],
    R3GAN: [],
    ResNet: IMAGE_NORMS,
    SNDCGAN: IMAGE_NORMS,
}


def _cases():
    for cls, fields, shape, _ in SMALL:
        for norm in NORMS[cls]:
            architecture = cls(**fields, discriminator_norm=norm)
            yield pytest.param(architecture, shape, id=f"{cls.__name__}-{norm}")
        if not NORMS[cls]:
            yield pytest.param(cls(**fields), shape, id=cls.__name__)
    for variant in ("compare-gan", "studiogan"):
        for norm in IMAGE_NORMS:
            architecture = SNDCGAN(width=4, variant=variant, discriminator_norm=norm)
            yield pytest.param(architecture, (3, 16, 16), id=f"SNDCGAN-{variant}-{norm}")


each_case = pytest.mark.parametrize(("architecture", "shape"), list(_cases()))


def _built(architecture, shape, seed=0, noise=0.0):
    """Networks after a fixed seed; `noise` moves them off zero weights and dead symmetries."""
    torch.manual_seed(seed)
    networks = architecture.build(shape)
    for parameter in (p for network in networks for p in network.parameters() if noise):
        with torch.no_grad():
            parameter.add_(noise * torch.randn_like(parameter))
    return networks


def test_every_bundled_architecture_is_tested_here():
    offered = {path.rpartition(":")[2] for path in ganbench_architectures().values()}
    assert offered == {cls.__name__ for cls, *_ in SMALL}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("architecture", "side"),
    [
        pytest.param(cls(**fields), side, id=f"{cls.__name__}-{side}")
        for cls, fields, _, sides in SMALL
        for side in sides
    ],
)
def test_it_makes_and_judges_images_of_every_side(architecture, side, channels):
    shape = (channels, side, side)
    architecture.check(shape)
    generator, discriminator = _built(architecture, shape)
    images = generator(torch.randn(2, architecture.latent_size))
    assert images.shape == (2, *shape)
    assert discriminator(images).shape == (2,)


@pytest.mark.parametrize("features", [1, 2, 7])
@pytest.mark.parametrize("cls", [MLP, MLPAutoencoder])
def test_it_makes_and_judges_points(cls, features):
    architecture = cls(latent_size=3, width=16)
    architecture.check((features,))
    generator, discriminator = architecture.build((features,))
    points = generator(torch.randn(5, 3))
    assert points.shape == (5, features)
    assert discriminator(points).shape == (5,)


@pytest.mark.parametrize(
    ("cls", "sides"), [pytest.param(c, s, id=c.__name__) for c, _, _, s in SMALL if s]
)
def test_it_refuses_all_other_shapes_and_names_its_own(cls, sides):
    listed = f"side of {', '.join(map(str, sides[:-1]))} or {sides[-1]} pixels"
    others = [(1, side, side) for side in range(1, 130) if side not in sides]
    for shape in [*others, (2, 16, 16), (1, 16, 32), (2,), (1, 3, 16, 16)]:
        with pytest.raises(Unsupported, match="square images of 1 or 3 channels") as refusal:
            cls().check(shape)
        assert listed in str(refusal.value)
        assert str(refusal.value).endswith(f"the data has the shape {list(shape)}")


@pytest.mark.parametrize(
    ("cls", "name"), [(MLP, "mlp"), (MLPAutoencoder, "mlp-autoencoder")], ids=str
)
def test_networks_for_points_refuse_images(cls, name):
    with pytest.raises(Unsupported, match=rf"^{name} makes points.*\[1, 8, 8\]"):
        cls().check((1, 8, 8))


@each_case
def test_it_says_truly_whether_its_discriminator_mixes_samples(architecture, shape):
    _, discriminator = _built(architecture, shape)
    images = torch.randn(6, *shape)
    # Spectral norm's power iteration moves with every call, so each call gets D as it was.
    alone, together = (deepcopy(discriminator)(batch)[:3] for batch in (images[:3], images))
    same = torch.allclose(alone, together, rtol=1e-4, atol=1e-6)
    assert architecture.discriminator_mixes_samples is not same


@each_case
def test_batch_norm_and_nothing_else_mixes_samples(architecture, shape):
    assert architecture.discriminator_mixes_samples is (
        getattr(architecture, "discriminator_norm", "none") == "batch"
    )


@each_case
def test_gradients_reach_every_parameter_of_both(architecture, shape):
    generator, discriminator = _built(architecture, shape, noise=0.05)
    logits = discriminator(generator(torch.randn(4, architecture.latent_size)))
    # Not their mean: batch norm keeps the mean of the layer before the last where it is.
    logits.square().sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().max() > 0, name


@each_case
def test_a_gradient_penalty_reaches_the_weights_of_the_discriminator(architecture, shape):
    _, discriminator = _built(architecture, shape, noise=0.05)
    images = torch.randn(4, *shape, requires_grad=True)
    (gradients,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    assert gradients.shape == images.shape
    gradients.square().sum().backward()
    weights = [p for p in discriminator.parameters() if p.dim() > 1]
    assert weights
    assert all(p.grad.isfinite().all() and p.grad.abs().max() > 0 for p in weights)


@each_case
def test_it_works_in_double_precision(architecture, shape):
    generator, discriminator = _built(architecture, shape)
    latents = torch.randn(3, architecture.latent_size)
    images = generator.double()(latents.double())
    logits = discriminator.double()(images)
    assert images.dtype == logits.dtype == torch.float64
    assert logits.isfinite().all()


@each_case
def test_the_same_seed_makes_the_same_networks(architecture, shape):
    for first, second in zip(_built(architecture, shape), _built(architecture, shape), strict=True):
        assert first.state_dict().keys() == second.state_dict().keys()
        assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


@each_case
@pytest.mark.parametrize("training", [True, False])
def test_a_state_dict_takes_everything_along(architecture, shape, training):
    networks, others = _built(architecture, shape), _built(architecture, shape, seed=1)
    latents = torch.randn(3, architecture.latent_size)
    networks[1](networks[0](latents))
    for network, other in zip(networks, others, strict=True):
        other.load_state_dict(network.state_dict())
    images, again = (n[0].train(training)(latents) for n in (networks, others))
    assert torch.equal(images, again)
    logits, again = (n[1].train(training)(images) for n in (networks, others))
    assert torch.equal(logits, again)


@each_case
def test_its_discriminator_embeds(architecture, shape):
    assert architecture.discriminator_embeds is True
    _, discriminator = _built(architecture, shape)
    images = torch.randn(3, *shape)
    embeddings = discriminator.embed(images)
    assert embeddings.dim() == 2
    assert len(embeddings) == 3


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        pytest.param(cls(**fields), shape, id=cls.__name__)
        for cls, fields, shape, _ in SMALL
        if not getattr(cls, "discriminator_is_autoencoder", False)
    ],
)
def test_a_logit_is_a_linear_function_of_the_embedding(architecture, shape):
    _, discriminator = _built(architecture, shape)
    discriminator.eval()
    images, head = torch.randn(3, *shape), discriminator.head
    bias = 0.0 if head.bias is None else head.bias
    expected = discriminator.embed(images) @ head.weight.flatten() + bias
    torch.testing.assert_close(discriminator(images), expected)


def _layers(network):
    return [
        m for m in network.modules() if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
    ]


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        pytest.param(cls(**fields, discriminator_norm="spectral"), shape, id=cls.__name__)
        for cls, fields, shape, _ in SMALL
        if NORMS[cls]
    ],
)
def test_spectral_norm_holds_each_layer_of_the_discriminator_at_1(architecture, shape):
    generator, discriminator = _built(architecture, shape)
    with torch.no_grad():
        for _ in range(200):
            discriminator(torch.randn(2, *shape))
    for layer in _layers(discriminator):
        # As in the paper, outputs by all else; a transposed convolution's outputs come second.
        outputs = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
        rows = layer.weight.movedim(outputs, 0).flatten(1)
        largest = torch.linalg.matrix_norm(rows.double(), 2)
        assert largest.item() == pytest.approx(1, abs=0.01)
    assert not any(hasattr(layer, "parametrizations") for layer in _layers(generator))
