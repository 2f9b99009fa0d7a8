"""Each is `nonsat` but for D's loss."""

import os
import re
import signal
import threading
import time
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import softplus


class Sound:
    version: ClassVar[int] = 1

    def discriminator_loss(self, real, fake):
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, fake, real=None):
        return softplus(-fake).mean()


class Raises(Sound):
    def discriminator_loss(self, real, fake):
        raise ValueError("boom")


class InTorch(Sound):
    def discriminator_loss(self, real, fake):
        return _product(real, fake).mean()


def _product(real, fake):
    return real @ torch.cat([fake, fake])


class Spoils(Sound):
    """Changes what it made itself, and what autograd would need to go back."""

    def discriminator_loss(self, real, fake):
        return (fake - real).exp().mul_(2).exp().sub_(1).mean()


class Exits(Sound):
    def discriminator_loss(self, real, fake):
        raise SystemExit(5)


class Vanishes(Sound):
    def discriminator_loss(self, real, fake):
        os._exit(0)


class Killed(Sound):
    def discriminator_loss(self, real, fake):
        os.kill(os.getpid(), signal.SIGKILL)


class Segfaults(Sound):
    def discriminator_loss(self, real, fake):
        os.kill(os.getpid(), signal.SIGSEGV)


class NotANumber(Sound):
    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(real, fake) * float("nan")


class Loops(Sound):
    def discriminator_loss(self, real, fake):
        while True:
            pass


class HoldsTheGil(Sound):
    """In C, where no signal is seen by Python and no other thread of it gets on."""

    def discriminator_loss(self, real, fake):
        re.match(r"(a+)+$", "a" * 100 + "b")


class Allocates(Sound):
    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(real, fake) + torch.empty(10 * 2**30 // 4).sum()


class Reseeds(Sound):
    def discriminator_loss(self, real, fake):
        torch.manual_seed(0)
        return super().discriminator_loss(real, fake)


class ChangesLogits(Sound):
    def discriminator_loss(self, real, fake):
        with torch.no_grad():
            real.clamp_(max=0)
        return super().discriminator_loss(real, fake)


class Prints(Sound):
    """A megabyte without an end of line, and nothing that says why it ended."""

    def discriminator_loss(self, real, fake):
        print("x" * 2**20, end="", flush=True)
        os._exit(9)


class Vector(Sound):
    def discriminator_loss(self, real, fake):
        return softplus(fake - real)


class Number(Sound):
    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(real, fake).item()


class Detached(Sound):
    def generator_loss(self, fake, real=None):
        return super().generator_loss(fake).detach()


class Complex(Sound):
    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(real, fake).to(torch.complex64)


class Integer(Sound):
    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(real, fake).long()


class Meta(Sound):
    def discriminator_loss(self, real, fake):
        return super().discriminator_loss(real, fake).to("meta")


class Elsewhere(Sound):
    def generator_loss(self, fake, real=None):
        return torch.ones((), requires_grad=True).square()


class Counts(Sound, nn.Module):
    """Keeps a number that no checkpoint can hold."""

    def __init__(self):
        nn.Module.__init__(self)

    def get_extra_state(self):
        return {"calls": 3}

    def set_extra_state(self, state): ...


class Stays(Sound):
    """Trains soundly, beside a thread that never ends."""

    def discriminator_loss(self, real, fake):
        if threading.active_count() < 8:
            threading.Thread(target=time.sleep, args=(3600,)).start()
        return super().discriminator_loss(real, fake)
