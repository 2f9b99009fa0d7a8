"""The protocol of the large-scale study that followed "Are GANs Created Equal?"."""

from ganbench.api import TrainingProtocol


class KurachSNDCGAN(TrainingProtocol):
    """Kurach et al.'s best SNDCGAN on CIFAR-10, as their code lists it: FID 25.27 for `nonsat`.

    It lists 26.00 for `nonsat+gp:weight=10`, and 33.23 without spectral norm,
    `--architectures sndcgan:variant=compare-gan:discriminator_norm=none`.

    As published: networks and their initial weights, batch, z ~ U(-1, 1) of 128 numbers (the
    code's choice), Adam, 200,000 steps of D, 10,000 fakes. Not so: the reference is the data set
    as trained on, there it is the test split; G gets fresh latents, there D's; the code lists one
    seed. Its best ResNets share all but D's steps, `--k 5`; their networks are not `resnet` (3 x 3
    convolutions in shortcuts, zeros between pixels when doubling, images in [0, 1]).

    References:
        A Large-Scale Study on Regularization and Normalization in GANs (Kurach et al., 2019)
        https://arxiv.org/abs/1807.04720
        compare_gan v2, src/generate_tasks_lib.py, BestModelSNDCGan, lines 2, 7, 14
        https://github.com/google/compare_gan/tree/v2
    """

    version = 1
    datasets = "cifar10"
    architectures = "sndcgan:variant=compare-gan"

    budget = "200000dsteps"
    generator_lr = 2e-4
    discriminator_lr = 2e-4
    beta1 = 0.5
    beta2 = 0.999
    latents = "uniform"
