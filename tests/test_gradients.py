import pytest
import torch
from torch import nn

from ganbench.gradients import gradient_norms, input_gradients

WEIGHTS = torch.tensor([3.0, -4.0])
POINTS = torch.tensor([[1.0, 2.0], [0.5, -1.0], [-3.0, 0.25]])


def test_a_linear_discriminator_has_its_weights_for_a_slope():
    """D(x) = w x + 7: dD/dx = w everywhere, |w| = 5."""
    gradients = input_gradients(lambda x: x @ WEIGHTS + 7, POINTS)
    assert torch.equal(gradients, WEIGHTS.expand(3, 2))
    norms = gradient_norms(lambda x: x @ WEIGHTS + 7, POINTS)
    assert torch.equal(norms, torch.full((3,), 5.0))


def test_a_quadratic_discriminator_image_by_image():
    """D(x) = x A x / 2 with A = diag(2, 3): dD/dx = (2 x1, 3 x2)."""
    diagonal = torch.tensor([2.0, 3.0])
    gradients = input_gradients(lambda x: (diagonal * x.square()).sum(1) / 2, POINTS)
    expected = torch.tensor([[2.0, 6.0], [1.0, -3.0], [-6.0, 0.75]])
    torch.testing.assert_close(gradients, expected)
    norms = gradient_norms(lambda x: (diagonal * x.square()).sum(1) / 2, POINTS)
    torch.testing.assert_close(norms, expected.square().sum(1).sqrt())


def test_the_norm_is_over_all_values_of_an_image_and_not_over_the_batch():
    """D(x) = c sum x on images of 3 x 2 x 2: |dD/dx| = c sqrt(12), whatever the batch."""
    images = torch.rand(5, 3, 2, 2)
    scale = torch.arange(5.0)
    norms = gradient_norms(lambda x: scale * x.sum((1, 2, 3)), images)
    torch.testing.assert_close(norms, scale * 12**0.5)


def test_the_norm_can_be_differentiated_with_respect_to_d():
    """|dD/dx| = |w|, so d mean|dD/dx| / dw = w / |w| = (0.6, -0.8)."""
    weights = WEIGHTS.clone().requires_grad_()
    gradient_norms(lambda x: x @ weights, POINTS).mean().backward()
    torch.testing.assert_close(weights.grad, torch.tensor([0.6, -0.8]))


def test_wgan_gps_term_has_its_gradient_in_closed_form():
    """D(x) = a |x|^2 / 2: slope a |x|, so d mean (a|x| - 1)^2 / da = mean 2 (a|x| - 1) |x|."""
    points = torch.tensor([[3.0, 4.0], [0.0, 2.0]])  # |x| = 5, 2
    scale = torch.tensor(0.5, requires_grad=True)
    slopes = gradient_norms(lambda x: scale * x.square().sum(1) / 2, points)
    (slopes - 1).square().mean().backward()
    torch.testing.assert_close(scale.grad, torch.tensor((2 * 1.5 * 5 + 2 * 0.0 * 2) / 2))


def test_second_derivatives_agree_with_finite_differences():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)).double()
    points = POINTS.double()

    def penalty(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        def discriminator(x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(x @ first) @ second

        return (gradient_norms(discriminator, points) - 1).square().mean()

    first, second = network[0].weight.T.detach(), network[2].weight[0].detach()
    assert torch.autograd.gradcheck(
        penalty, (first.clone().requires_grad_(), second.clone().requires_grad_())
    )


def test_a_flat_discriminator_has_a_finite_gradient():
    """Where dD/dx = 0 the norm has no derivative; 0 is taken and not NaN."""
    weights = torch.zeros(2, requires_grad=True)
    norms = gradient_norms(lambda x: x @ weights, POINTS)
    assert torch.equal(norms, torch.zeros(3))
    (norms - 1).square().mean().backward()
    assert torch.equal(weights.grad, torch.zeros(2))


def test_a_flat_spot_has_a_finite_gradient_through_a_quadratic():
    scale = torch.tensor(0.5, requires_grad=True)
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    norms = gradient_norms(lambda x: scale * x.square().sum(1) / 2, points)
    norms.sum().backward()
    assert norms.tolist() == [0.0, 2.5]
    assert float(scale.grad) == 5.0  # 0 of the flat spot, |x| = 5 of the other


def test_dead_units_leave_every_parameters_gradient_finite():
    network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0))
    nn.init.constant_(network[0].bias, -100.0)
    (gradient_norms(network, POINTS) - 1).square().mean().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(g).all() for g in gradients)


def test_the_points_are_left_as_they_were():
    points = POINTS.clone()
    gradients = input_gradients(lambda x: x @ WEIGHTS, points)
    assert not points.requires_grad
    assert points.grad is None
    assert gradients.shape == points.shape


def test_points_with_a_graph_keep_it():
    """D(x) = |x|^2 / 2 at x = 2 z: dD/dx = x, so d sum(dD/dx) / dz = 2."""
    latents = POINTS.clone().requires_grad_()
    gradients = input_gradients(lambda x: x.square().sum(1) / 2, 2 * latents)
    torch.testing.assert_close(gradients, 2 * POINTS)
    gradients.sum().backward()
    assert torch.equal(latents.grad, torch.full((3, 2), 2.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_stays(dtype):
    weights = WEIGHTS.to(dtype)
    assert gradient_norms(lambda x: x @ weights, POINTS.to(dtype)).dtype == dtype
