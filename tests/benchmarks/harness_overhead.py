"""What the harness costs over a bare hand-written loop with the same networks.

Measured in turn in one process (A B A B ...), medians of the pairs' ratios. The harness side is
a whole run as `ganbench run` does it (windows read, events written and synced), its evaluations
left out; the bare side is the same algorithm in plain PyTorch.

    python tests/benchmarks/harness_overhead.py [--pairs 9] [--steps 400]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.nn.functional import softplus

from ganbench.keeping import Attempt
from ganbench.planning import load, plan
from ganbench.plugins import discover
from ganbench.request import Request, Setup
from ganbench.runner import run
from ganbench.store import Store

CASES = {"digits": "dcgan:width=32", "ring": "mlp"}


def harness_seconds(experiment, data, folder):
    folder.plan(experiment.recipe())
    run(experiment, data, torch.device("cpu"), folder, Attempt(folder.begin_attempt()))
    return folder.outcome()["seconds"]


def bare_seconds(experiment, data, steps):
    """k = 1 of `nonsat` as one would write it for one network and one loss."""
    settings = experiment.settings
    architecture = experiment.architecture.create()
    torch.manual_seed(0)
    generator, discriminator = architecture.build(data.shape)
    betas, size = (settings.beta1, settings.beta2), settings.batch_size
    g_optimizer = torch.optim.Adam(generator.parameters(), settings.generator_lr, betas, fused=True)
    d_optimizer = torch.optim.Adam(
        discriminator.parameters(), settings.discriminator_lr, betas, fused=True
    )
    started = time.perf_counter()
    for _ in range(steps):
        real = data.samples[torch.randint(len(data), (size,))]
        if data.is_images:
            real = (real.float() - 127.5) / 127.5
        with torch.no_grad():
            fake = generator(torch.randn(size, architecture.latent_size))
        d_optimizer.zero_grad()
        loss = softplus(-discriminator(real)).mean() + softplus(discriminator(fake)).mean()
        loss.backward()
        d_optimizer.step()
        discriminator.requires_grad_(False)
        g_optimizer.zero_grad()
        fake = generator(torch.randn(size, architecture.latent_size))
        softplus(-discriminator(fake)).mean().backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for dataset, architecture in CASES.items():
        with tempfile.TemporaryDirectory() as place:
            setup = Setup(Path(place) / "store", Path(place) / "data", "cpu")
            request = Request(
                losses="nonsat",
                datasets=dataset,
                architectures=architecture,
                protocol=f"quick:budget={options.steps}gsteps:evaluations=1",
                seeds=1,
            )
            (experiment,) = plan(request, setup, discover())
            data = load(experiment.dataset, setup.data_folder)
            store = Store(setup.store, create=True)
            bare_seconds(experiment, data, 50)
            ratios = []
            for number in range(options.pairs):
                bare = bare_seconds(experiment, data, options.steps)
                folder = store.run(f"{experiment.key}-{number}")
                ratios.append(harness_seconds(experiment, data, folder) / bare)
        print(
            f"{dataset} {architecture}: harness / bare = {statistics.median(ratios):.3f}"
            f" (of {len(ratios)} pairs: {min(ratios):.3f} to {max(ratios):.3f})"
        )


if __name__ == "__main__":
    main()
