"""The protocol of mimicry."""

from ganbench.api import TrainingProtocol


class MimicryResNet(TrainingProtocol):
    """mimicry's baselines on CIFAR-10, one ResNet for all: FID 16.77 for SNGAN, 22.29 for WGAN-GP.

    SNGAN is `hinge` with spectral norm; for `wgan-gp` take
    `--architectures resnet:discriminator_norm=none`.

    As published: batch, Adam with linear decay, 5 steps of D, z ~ N(0, 1) of 128 numbers, 100,000
    steps of G, 50,000 fakes against the 50,000 images trained on. Not so: mimicry doubles the side
    bilinearly; G moves before D. Its deviations are over resamplings of one trained network.

    References:
        Mimicry: Towards the Reproducibility of GAN Research (Lee & Town, 2020)
        https://arxiv.org/abs/2005.02494
        https://github.com/kwotsin/mimicry
    """

    version = 1
    datasets = "cifar10"
    architectures = "resnet"
    schedules = "k-step:k=5"

    budget = "100000gsteps"
    generator_lr = 2e-4
    discriminator_lr = 2e-4
    beta1 = 0.0
    beta2 = 0.9
    lr_decay = "linear"
    evaluation_samples = 50_000
