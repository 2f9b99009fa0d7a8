"""What the metrics on features cost, on random correlated features of Inception's size.

First the Fréchet distance by eigenvalues against scipy's matrix square root, in turn (A B A B),
medians of the pairs' ratios. Then each metric in a process of its own: seconds of one comparison
(the reference's part, which is made once a run, is made before), and the peak of resident memory
with the two summaries, over what a process has that has only imported torch.

    python tests/benchmarks/metrics_speed.py [--pairs 3] [--counts 10000 50000] [--threads 2]
"""

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from scipy import linalg

from ganbench.features import Features, Gatherer
from ganbench_plugins.metrics.fd import Fd
from ganbench_plugins.metrics.fd_infinity import FdInfinity
from ganbench_plugins.metrics.frechet import frechet_distance
from ganbench_plugins.metrics.inception_score import InceptionScore
from ganbench_plugins.metrics.kid import Kid

FEATURES = 2048
CLASSES = 1008
BATCH = 500
METRICS = (Fd(), FdInfinity(), Kid(), InceptionScore())


def summary(count, parts, seed, shift=0.0):
    """Rectified features of full rank, with a few strong common causes."""
    generator = torch.Generator().manual_seed(0)
    causes = torch.randn(64, FEATURES, generator=generator) / 8
    heads = torch.randn(FEATURES, CLASSES, generator=generator) / 16
    generator.manual_seed(1 + seed)
    gatherer = Gatherer(parts, count)
    for size in [len(part) for part in torch.arange(count).split(BATCH)]:
        common = torch.randn(size, 64, generator=generator) @ causes
        own = 0.3 * torch.randn(size, FEATURES, generator=generator)
        values = (common + own + shift).relu()
        gatherer.add(Features(values, values @ heads if "logits" in parts else None))
    return gatherer.summary()


def seconds(action):
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def scipy_distance(real, generated):
    cov1, cov2 = real.covariance.numpy(), generated.covariance.numpy()
    gap = (real.mean - generated.mean).numpy()
    return gap @ gap + np.trace(cov1 + cov2 - 2 * linalg.sqrtm(cov1 @ cov2).real)


def compare_distances(pairs):
    real, generated = (summary(10_000, {"moments"}, seed, 0.1 * seed) for seed in (0, 1))
    root_seconds, _ = seconds(lambda: real.covariance_root)
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(seconds(lambda: frechet_distance(real, generated)))
        theirs.append(seconds(lambda: scipy_distance(real, generated)))
    ratio = statistics.median(b / a for (a, _), (b, _) in zip(ours, theirs, strict=True))
    apart = abs(ours[0][1] / theirs[0][1] - 1)
    print(
        f"{FEATURES} features: sqrtm / eigenvalues = {ratio:.1f} (medians "
        f"{statistics.median(s for s, _ in theirs):.1f} s and "
        f"{statistics.median(s for s, _ in ours):.1f} s; the reference's root, made once, "
        f"{root_seconds:.1f} s); values {apart:.0e} apart"
    )


def resident(name):
    """`VmRSS`, or `VmHWM`, its peak; Linux alone has them."""
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name)]
    return int(line.split()[1]) * 1024


def cost(metric, count, threads):
    torch.set_num_threads(threads)
    bare = resident("VmRSS")
    real, generated = (summary(count, metric.needs, seed, 0.1 * seed) for seed in (0, 1))
    if "moments" in metric.needs:
        _ = real.covariance_root
    held = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    took, result = seconds(lambda: metric.compare(real, generated))
    return took, resident("VmHWM") - held, resident("VmHWM") - bare, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--counts", type=int, nargs="*", default=[10_000, 50_000])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.pairs:
        compare_distances(options.pairs)
    for count in options.counts:
        for metric in METRICS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                took, own, whole, result = pool.apply(cost, (metric, count, options.threads))
            ((name, estimate),) = result.items()
            print(
                f"N = {count:6,}  {name:12} {took:6.1f} s  peak {whole / 2**20:5.0f} MiB, "
                f"{own / 2**20:5.0f} of them its own  {estimate.value:.6g} +- {estimate.noise:.2g}"
            )


if __name__ == "__main__":
    main()
