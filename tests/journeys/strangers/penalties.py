from typing import ClassVar


class ChangesReal:
    version: ClassVar[int] = 1

    def __call__(self, discriminator, real, fake, noise):
        return discriminator(real.mul_(2)).mean()


class ChangesFake:
    version: ClassVar[int] = 1

    def __call__(self, discriminator, real, fake, noise):
        fake.detach()[0] = 0
        return discriminator(fake).mean()
