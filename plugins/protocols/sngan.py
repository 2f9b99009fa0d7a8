"""The protocols of SNGAN."""

from ganbench.api import TrainingProtocol


class _StandardCNN(TrainingProtocol):
    """What the six settings of the paper's table 1 share."""

    datasets = "cifar10"
    architectures = "sndcgan"

    budget = "100000gsteps"
    evaluation_samples = 5_000


class SNGANCNNA(_StandardCNN):
    """Setting A of SNGAN's comparison on its standard CNN: WGAN-GP's, with 5 steps of D.

    The paper tries each way of holding D back under six settings of Adam, `sngan-cnn-a` to
    `sngan-cnn-f`. Here D has spectral norm, and another one by, for instance,
    `--architectures sndcgan:discriminator_norm=layer`.

    As published: networks, Adam, z ~ N(0, 1) of 128 numbers, 100,000 steps of G, FID of 5,000
    fakes. From the authors' code: the batch size. Not so: the paper's FID has 10,000 real images,
    here the data set as trained on is the reference; its batch and layer norm have no learned
    scale.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), section
        4.1, tables 1 and 3, appendix B.1
        https://arxiv.org/abs/1802.05957
        chainer-gan-lib, by the authors, train.py
        https://github.com/pfnet-research/chainer-gan-lib
    """

    version = 1
    schedules = "k-step:k=5"

    generator_lr = 1e-4
    discriminator_lr = 1e-4
    beta1 = 0.5
    beta2 = 0.9


class SNGANCNNB(_StandardCNN):
    """Setting B, with one step of D, as of Warde-Farley & Bengio; see `sngan-cnn-a`.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 1
        https://arxiv.org/abs/1802.05957
    """

    version = 1

    generator_lr = 1e-4
    discriminator_lr = 1e-4
    beta1 = 0.5
    beta2 = 0.999


class SNGANCNNC(_StandardCNN):
    """Setting C, with one step of D, as of DCGAN; see `sngan-cnn-a`.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 1
        https://arxiv.org/abs/1802.05957
    """

    version = 1

    generator_lr = 2e-4
    discriminator_lr = 2e-4
    beta1 = 0.5
    beta2 = 0.999


class SNGANCNND(_StandardCNN):
    """Setting D, with 5 steps of D, A's with ten times the learning rate; see `sngan-cnn-a`.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 1
        https://arxiv.org/abs/1802.05957
    """

    version = 1
    schedules = "k-step:k=5"

    generator_lr = 1e-3
    discriminator_lr = 1e-3
    beta1 = 0.5
    beta2 = 0.9


class SNGANCNNE(_StandardCNN):
    """Setting E, with 5 steps of D, a high learning rate and beta2; see `sngan-cnn-a`.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 1
        https://arxiv.org/abs/1802.05957
    """

    version = 1
    schedules = "k-step:k=5"

    generator_lr = 1e-3
    discriminator_lr = 1e-3
    beta1 = 0.5
    beta2 = 0.999


class SNGANCNNF(_StandardCNN):
    """Setting F, with 5 steps of D, E's with a beta1 of 0.9; see `sngan-cnn-a`.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 1
        https://arxiv.org/abs/1802.05957
    """

    version = 1
    schedules = "k-step:k=5"

    generator_lr = 1e-3
    discriminator_lr = 1e-3
    beta1 = 0.9
    beta2 = 0.999


class SNGANResNet(TrainingProtocol):
    """SNGAN's ResNet on CIFAR-10: FID 21.7 for `hinge`, the mean over seeds.

    As published: networks, Adam with WGAN-GP's settings, 5 steps of D, z ~ N(0, 1) of 128
    numbers, 100,000 steps of G, FID of 5,000 fakes. From the authors' later code: the batch size
    and the linear decay of the learning rates, which WGAN-GP has too. Not so: that code has 50,000
    steps of G, each on 128 fakes, and moves G before D; the paper's FID has 10,000 real images,
    here the data set as trained on is the reference.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), table 2,
        appendix B
        https://arxiv.org/abs/1802.05957
        sngan_projection, by the authors, configs/sn_cifar10_unconditional.yml
        https://github.com/pfnet-research/sngan_projection
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017)
        https://arxiv.org/abs/1704.00028
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
    evaluation_samples = 5_000
