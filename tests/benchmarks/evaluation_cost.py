"""What an evaluation costs besides the extraction of features, and how much memory it takes.

    python tests/benchmarks/evaluation_cost.py time --samples 10000 --weights FILE
    python tests/benchmarks/evaluation_cost.py memory --samples 50000

`time` scores features of Inception's size with every bundled metric on features, the reference
being there, and compares with the time that the bare network takes for as many images, which is
measured on the first thousand: it is linear. `memory` gives the metrics random features of
Inception's size, through an extractor that costs nothing, and reports the process's peak resident
memory over what it had before. Nothing here is asserted: machines differ.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from ganbench.acceleration import full_precision
from ganbench.catalogue import EXTRACTOR, METRIC, Catalogue, Component, Origin, Plugin
from ganbench.choices import Choice, choose
from ganbench.data import Data
from ganbench.features import Features
from ganbench.plugins import discover
from ganbench.reference import References
from ganbench.scores import pair, prepared
from ganbench.scoring import Scorer
from ganbench.specs import Spec

CPU = torch.device("cpu")
PIECE = 500
FEATURES, CLASSES = 2048, 1008
EXTRACTED = 1000
THREADS = torch.get_num_threads()


@dataclass
class Ready:
    """Random correlated features, as many and as large as Inception's."""

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 50
    names_classes: ClassVar[bool] = True
    settings: ClassVar[tuple[str, ...]] = ("ready",)

    def check(self, reference: Data) -> None: ...

    def load(self, device):
        generator = torch.Generator().manual_seed(0)
        mix = torch.randn(64, FEATURES, generator=generator) / 8

        def network(samples):
            draws = torch.randn(len(samples), 64, generator=generator)
            values = draws @ mix + torch.randn(len(samples), FEATURES, generator=generator)
            return Features(values, values[:, :CLASSES])

        return network


def on_features(catalogue: Catalogue) -> list[Choice]:
    names = [c.name for c in catalogue.of_kind(METRIC) if hasattr(c.cls, "compare")]
    every = [choose(catalogue, METRIC, Spec(name)) for name in names]
    return [metric for metric in every if not hasattr(metric.component.cls, "extractor")]


def pictures(count: int, seed: int) -> Data:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 3, 32, 32)
    return Data(torch.randint(256, shape, generator=generator, dtype=torch.uint8), "all")


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def scored(scorer: Scorer, samples: torch.Tensor) -> float:
    """Seconds that one evaluation takes; its values are printed."""
    started = time.perf_counter()
    for piece in samples.split(PIECE):
        scorer.update(piece)
    found = scorer.result()
    seconds = time.perf_counter() - started
    for name, estimate in found.estimates.items():
        print(f"  {name} {estimate.value:.6g} noise {estimate.noise:.2g}")
    return seconds


def measure_memory(count: int) -> None:
    origin = Origin("benchmark", "benchmark", "1")
    plugin = Plugin(origin, (Component(EXTRACTOR, "ready", Ready, origin),))
    catalogue = Catalogue((*discover().plugins, plugin))
    real, fake = pictures(count, 0), pictures(count, 1)
    scores = pair(catalogue, on_features(catalogue), [], ["ready"])
    scales = prepared(scores, real, count)
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        scorer = Scorer(scales, real, count, CPU, References(Path(folder)))
        print(f"reference: {(peak() - before) / 2**30:.2f} GiB over {before / 2**30:.2f} GiB")
        seconds = scored(scorer, fake.samples)
    print(f"evaluation of {count:,}: {(peak() - before) / 2**30:.2f} GiB, {seconds:.0f} s")


def measure_time(count: int, weights: Path) -> None:
    catalogue, origin = discover(), Origin("benchmark", "benchmark", "1")
    inception = choose(catalogue, EXTRACTOR, Spec("inception", (("weights", str(weights)),)))
    ready = Plugin(origin, (Component(EXTRACTOR, "ready", Ready, origin),))
    real, fake = pictures(count, 0), pictures(count, 1)
    metrics = on_features(catalogue)
    scores = pair(Catalogue((*catalogue.plugins, ready)), metrics, [], ("ready",))
    scales = prepared(scores, real, count)
    with tempfile.TemporaryDirectory() as folder:
        scorer = Scorer(scales, real, count, CPU, References(Path(folder)))
        made = drawn(count)
        evaluation = scored(scorer, fake.samples) - made
    extractor = inception.create()
    extractor.check(real)
    network = extractor.load(CPU)
    batches = fake.samples[:EXTRACTED].split(extractor.batch_size)
    with full_precision():
        network(batches[0])
        started = time.perf_counter()
        for batch in batches:
            network(batch)
    bare = (time.perf_counter() - started) * count / EXTRACTED
    print(f"bare extraction of {count:,}, from {EXTRACTED:,}: {bare:.0f} s on {THREADS} threads")
    print(f"all metrics on {count:,}, drawing their features aside: {evaluation:.0f} s")
    print(f"evaluation / bare extraction = {(bare + evaluation) / bare:.3f}")


def drawn(count: int) -> float:
    """Seconds that drawing the features themselves takes, which a network would have made."""
    network = Ready().load(CPU)
    started = time.perf_counter()
    for piece in pictures(count, 1).samples.split(Ready.batch_size):
        network(piece)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["time", "memory"])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--weights", type=Path, help="of Inception's architecture")
    given = parser.parse_args()
    if given.what == "memory":
        measure_memory(given.samples)
    elif given.weights:
        measure_time(given.samples, given.weights)
    else:
        parser.error("`time` needs --weights FILE, of Inception's architecture")


if __name__ == "__main__":
    main()
