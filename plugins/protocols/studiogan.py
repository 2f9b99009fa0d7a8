"""The protocol of StudioGAN's unconditional CNN."""

from ganbench.api import TrainingProtocol


class StudioGANDCGAN(TrainingProtocol):
    """What StudioGAN trains DCGAN (`nonsat`), LSGAN and GGAN (`hinge`) with on CIFAR-10.

    As published: networks and their initial weights, batch, Adam with its epsilon, 2 steps of D,
    z ~ N(0, 1) of 128 numbers, mirrored images, 200,000 steps of G, 10,000 fakes. Not so: its
    published numbers are of the best checkpoint by FID, and of the test split; here the data set
    as trained on is the reference. D's batch norm refuses penalties on slopes, with which
    StudioGAN combines it in other configurations.

    References:
        StudioGAN: A Taxonomy and Benchmark of GANs for Image Synthesis (Kang et al., 2022)
        https://arxiv.org/abs/2206.09479
        src/configs/CIFAR10/DCGAN.yaml over the defaults of src/config.py
        https://github.com/POSTECH-CVLab/PyTorch-StudioGAN
    """

    version = 1
    datasets = "cifar10"
    architectures = "sndcgan:discriminator_norm=batch:initialisation=orthogonal:variant=studiogan"
    schedules = "k-step:k=2"

    budget = "200000gsteps"
    generator_lr = 2e-4
    discriminator_lr = 2e-4
    beta1 = 0.5
    beta2 = 0.999
    epsilon = 1e-6
    horizontal_flip = True
