"""How far chance moves the number of things that were hit at least once."""

import math

from torch import Tensor


def covered_noise(once: Tensor, twice: Tensor, draws: int) -> float:
    """The standard error of how many things at least one of so many independent draws hits.

    With u_a things that draw a hits and no other does, and u_ab that just a and b hit:

        F1 = sum u_a^2    F2 = sum u_ab^2
        variance = F1^2 / (F1 + F2) - (sum u_a)^2 / draws

    F1 is the jackknife's, which counts an effect of two draws together twice, and one of n
    draws n times; F1 - F2 + F3 - ... counts each once, and F1^2 / (F1 + F2) is its sum where the
    terms fall geometrically. The last term is there because the number of draws is no accident.

    Args:
        once: the u_a that are not 0.
        twice: the u_ab that are not 0.
        draws: their number.

    References:
        The Jackknife Estimate of Variance (Efron and Stein, 1981)
        https://doi.org/10.1214/aos/1176345462
    """
    first = float(once.square().sum())
    if not first:
        return 0.0
    second, alone = float(twice.square().sum()), float(once.sum())
    return math.sqrt(max(first**2 / (first + second) - alone**2 / draws, 0.0))
