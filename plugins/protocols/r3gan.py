"""The protocol of R3GAN on Stacked-MNIST."""

from ganbench.api import TrainingProtocol


class R3GANStackedMnist(TrainingProtocol):
    """R3GAN on Stacked-MNIST, from the paper alone: 1,000 modes, KL 0.029.

    The paper's objective, whose gamma falls from 1 to 0.1 over a burn-in of 2 million images, that
    is 3,906 steps, is
    rpgan+r1:gamma=1:final_share=0.1:anneal_steps=3906+r2:gamma=1:final_share=0.1:anneal_steps=3906

    As published: networks, batch, Adam's rates and beta1, z of 64 numbers, an average of G's
    weights whose half-life rises from 0 to 500,000 images along the burn-in, 10 million images,
    no augmentation. Not so: there beta2 rises from 0.9 to 0.99 along the burn-in, here it is 0.99
    throughout; most of the network ran in bfloat16; in the authors' code, which has no preset for
    this data, G moves before D. The number of fakes is PacGAN's.

    References:
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024), table 9,
        appendix D
        https://arxiv.org/abs/2501.05441
        https://github.com/brownvc/R3GAN
        PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018)
        https://arxiv.org/abs/1712.04086
    """

    version = 1
    datasets = "stacked-mnist:side=32"
    architectures = "r3gan"

    budget = "10000kimg"
    batch_size = 512
    generator_lr = 2e-4
    discriminator_lr = 2e-4
    beta1 = 0.0
    beta2 = 0.99
    ema_half_life_kimg = 500.0
    ema_burn_in_kimg = 2000.0
    evaluation_samples = 26_000
