"""The protocol of "Are GANs Created Equal?"."""

from ganbench.api import TrainingProtocol


class CreatedEqual(TrainingProtocol):
    """Lucic et al.'s networks and budget on CIFAR-10, with one of the settings they search over.

    The source searches, loss by loss, for the learning rate (10^-5 to 10^-2, later 10^-4 to
    10^-3), beta1 (0 to 1, later 0.5), D's steps (1 or 5, later 1) and D's batch norm (yes or no),
    and publishes the best of 100 settings. Here every loss gets the code's general default: 1e-4,
    0.5, one step, batch norm. For some losses the code has other ones:

        minimax, nonsat   5e-5, beta1 0
        lsgan             2e-4
        wgan              5e-5, 5 steps
        wgan-gp, began    5 steps, no batch norm

    Gradient penalties need `--architectures infogan-conv:discriminator_norm=none` here.

    As published: networks (with images stretched to [-1, 1]), batch, z ~ U(-1, 1) of 64 numbers,
    Adam, no average of weights, 100 epochs of 50,000 images as D's steps, 10,000 fakes. Not so:
    the reference is the data set as trained on, there it is the test split; G gets fresh latents,
    there D's; nothing is searched for. CIFAR-10 is one of four data sets: for `mnist` and
    `fashion-mnist` the budget is 15625dsteps, for CelebA 101250dsteps.

    References:
        Are GANs Created Equal? A Large-Scale Study (Lucic et al., 2018)
        https://arxiv.org/abs/1711.10337
        compare_gan v1, src/params.py, src/generate_tasks_lib.py and src/gans/abstract_gan.py
        https://github.com/google/compare_gan/tree/v1
    """

    version = 1
    datasets = "cifar10"
    architectures = "infogan-conv"

    budget = "78125dsteps"
    generator_lr = 1e-4
    discriminator_lr = 1e-4
    beta1 = 0.5
    beta2 = 0.999
    latents = "uniform"
