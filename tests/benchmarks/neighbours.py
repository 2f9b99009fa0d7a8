"""What precision, recall, density and coverage cost: time over a bare matrix product, and memory.

Times are measured in turn in one process (A B A B ...): each metric as in an evaluation, with the
reference's radii known, over the product of the two sets of features by the same blocks, which is
the least that all distances can cost. Medians of the pairs' ratios. With --images, also their
share of the time that an Inception network takes for as many images, from that for a few.

Memory is measured in a fresh process, by the peak of its resident set over what it had with both
sets of features made.

    python tests/benchmarks/neighbours.py [--samples 10000] [--threads 1] [--images 64]
    python tests/benchmarks/neighbours.py --memory [--samples 50000]
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from torchvision.models import inception_v3

from ganbench.features import Summary
from ganbench_plugins.metrics.density_coverage import DensityCoverage
from ganbench_plugins.metrics.distances import blocks
from ganbench_plugins.metrics.neighbours import squared_radii
from ganbench_plugins.metrics.precision_recall import PrecisionRecall


def features(count, size, seed):
    """Rectified normals near a surface of 20 dimensions."""
    draws = torch.Generator().manual_seed(seed)
    surface = 0.3 * torch.randn(20, size, generator=torch.Generator().manual_seed(0))
    values = torch.empty(count, size)
    for rows in blocks(count):
        part = values[rows]
        part.copy_(torch.randn(len(part), 20, generator=draws) @ surface)
        part.add_(0.3 * torch.randn(part.shape, generator=draws)).relu_()
    return values


def summary(values):
    return Summary(len(values), {"values": values})


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def product(real, generated):
    for rows in blocks(len(real)):
        for columns in blocks(len(generated)):
            real[rows] @ generated[columns].T


def inception_seconds(images):
    """Per image of 299x299, in batches of 16, at best."""
    network = inception_v3(weights=None, aux_logits=True, init_weights=False).eval()
    batch = torch.randn(16, 3, 299, 299)
    with torch.no_grad():
        taken = [seconds(lambda: network(batch)) for _ in range(images // 16 + 1)]
    return min(taken[1:]) / 16


def measure_time(options):
    torch.set_num_threads(options.threads)
    real, generated = (features(options.samples, options.features, seed) for seed in (1, 2))
    reference = summary(real)
    works = {
        "the reference's radii, once a run": lambda: squared_radii(summary(real), 5),
        "precision-recall": lambda: PrecisionRecall().compare(reference, summary(generated)),
        "density-coverage": lambda: DensityCoverage().compare(reference, summary(generated)),
    }
    squared_radii(reference, 5)
    taken = {name: [] for name in works}
    bare = []
    for _ in range(options.pairs):
        for name, work in works.items():
            bare.append(seconds(lambda: product(real, generated)))
            taken[name].append((seconds(work), bare[-1]))
    shape = f"{options.samples} x {options.features}, {options.threads} threads"
    print(f"{shape}: the product takes {statistics.median(bare):.1f} s")
    for name, pairs in taken.items():
        ratios = [work / product for work, product in pairs]
        print(
            f"{name}: {statistics.median(work for work, _ in pairs):.1f} s,"
            f" {statistics.median(ratios):.2f} products"
            f" (of {len(ratios)} pairs: {min(ratios):.2f} to {max(ratios):.2f})"
        )
    if options.images:
        extraction = inception_seconds(options.images) * options.samples
        both = sum(statistics.median(work for work, _ in taken[name]) for name in list(works)[1:])
        print(f"both metrics: {both / extraction:.1%} of Inception's {extraction:.0f} s")


def status(field):
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def measure_memory(options):
    torch.set_num_threads(options.threads)
    real, generated = (
        summary(features(options.samples, options.features, seed)) for seed in (1, 2)
    )
    product(real.values[:2048], generated.values[:2048])  # a BLAS keeps buffers of its own
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # begins the peak anew
    for metric in (PrecisionRecall(), DensityCoverage()):
        print(metric.compare(real, generated))
    print(
        f"{options.samples} x {options.features} on both sides are {before:.0f} MB;"
        f" the peak is {status('VmHWM') - before:.0f} MB above"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--images", type=int, default=0)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    (measure_memory if options.memory else measure_time)(options)


if __name__ == "__main__":
    main()
