"""How much faster ganbench's Inception is than pytorch-fid's, with the same weights.

Measured in turn in one process (A B A B ...), medians of the pairs' ratios. Each round is one
batch of 50 uint8 images, as both programs take them; the weights are seeded noise.

    python tests/benchmarks/inception_speed.py [--rounds 9] [--threads 2] [--device cpu]
"""

import argparse
import math
import statistics
import time
from pathlib import Path

import pytorch_fid.inception
import torch

from ganbench.acceleration import full_precision, synchronize
from ganbench_plugins.extractors.inception import Inception
from ganbench_plugins.extractors.inception_network import InceptionNetwork, empty_inception
from ganbench_plugins.extractors.weights import Weights

SIDES = (32, 64)


def seeded_state():
    """He's weights and idle batch norms, so that activations keep their size."""
    generator = torch.Generator().manual_seed(0)

    def fill(name, empty):
        if empty.dim() > 1:
            scale = math.sqrt(2 / empty[0].numel())
            return scale * torch.randn(empty.shape, generator=generator)
        idle = torch.ones if name.endswith(("running_var", "bn.weight")) else torch.zeros
        return idle(empty.shape, dtype=empty.dtype)

    return {name: fill(name, empty) for name, empty in empty_inception().state_dict().items()}


def networks(device):
    """pytorch-fid's and ours, as functions from uint8 images to features."""
    state = seeded_state()
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: state
    theirs = pytorch_fid.inception.InceptionV3().eval().to(device)
    ours = InceptionNetwork(Weights(Path("seeded"), "", state)).to(device)
    return (
        lambda images: theirs(images / 255)[0].flatten(1),
        lambda images: ours(images).values,
    )


def seconds(network, images):
    synchronize(images.device)
    started = time.perf_counter()
    network(images)
    synchronize(images.device)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", type=torch.device, default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    theirs, ours = networks(options.device)
    for side in SIDES:
        generator = torch.Generator().manual_seed(side)
        shape = (Inception.batch_size, 3, side, side)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        images = images.to(options.device)
        with full_precision():
            expected = theirs(images)
            deviation = float((ours(images) - expected).norm() / expected.norm())
            pairs = [
                (seconds(theirs, images), seconds(ours, images)) for _ in range(options.rounds)
            ]
        ratios = [their / our for their, our in pairs]
        print(
            f"{side}x{side}: pytorch-fid / ganbench = {statistics.median(ratios):.2f}"
            f" (of {len(ratios)} pairs: {min(ratios):.2f} to {max(ratios):.2f}),"
            f" {Inception.batch_size / statistics.median(our for _, our in pairs):.1f} images/s,"
            f" features {deviation:.0e} apart",
            flush=True,
        )


if __name__ == "__main__":
    main()
