"""The protocol for points in the plane."""

from ganbench.api import TrainingProtocol


class Points(TrainingProtocol):
    """About half a minute on a CPU core, in which sound losses find the modes of `ring` and `grid`.

    No published one: VEEGAN's and PacGAN's count of samples, R3GAN's beta1 and final beta2, and
    learning rates that are high at first and end at 0, as points settle on narrow modes only then.
    Measured over 3 seeds, with

        ganbench run --protocol points --datasets ring,grid --seeds 3 --losses
          nonsat,nonsat+r1:gamma=0.1,rpgan+r1:gamma=0.1+r2:gamma=0.1,wgan-gp:weight=1

                      ring: modes  high quality   grid: modes  high quality
        nonsat             8 8 8      84 to 91%      20 18 18     21 to 36%
        nonsat+r1          8 8 8      79 to 86%      23 24 23     17 to 27%
        rpgan+r1+r2        8 8 8      81 to 84%      25 25 25     19 to 27%
        wgan-gp            8 8 8      79 to 83%      23 24 23     14 to 21%

    The ring tells sound losses from broken ones, the grid good ones from sound ones. With its
    paper's weight of 10, wgan-gp finds one mode of the ring (one seed).

    References:
        VEEGAN (Srivastava et al., 2017), section 4.1
        https://arxiv.org/abs/1705.07761
        PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018)
        https://arxiv.org/abs/1712.04086
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024), table 9
        https://arxiv.org/abs/2501.05441
    """

    version = 1
    datasets = "ring"

    budget = "5000gsteps"
    batch_size = 256
    generator_lr = 1e-3
    discriminator_lr = 1e-3
    beta1 = 0.0
    beta2 = 0.99
    lr_decay = "linear"
    evaluation_samples = 2_500
