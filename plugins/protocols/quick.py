"""The default: seconds on a CPU core."""

from ganbench.api import TrainingProtocol


class Quick(TrainingProtocol):
    """A budget of seconds on a CPU core: DCGAN's Adam, half its batch, a higher learning rate.

    The networks are small and the budget is short; no published number compares with it.

    References:
        Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks (Radford et al., 2015), section 4
        https://arxiv.org/abs/1511.06434
    """

    version = 1
    datasets = "digits"

    budget = "80kimg"
    generator_lr = 5e-4
    discriminator_lr = 5e-4
    beta1 = 0.5
    beta2 = 0.999
    evaluation_samples = 2000
