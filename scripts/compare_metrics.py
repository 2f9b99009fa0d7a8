"""Score the same images with ganbench, pytorch-fid, torch-fidelity and scikit-learn.

    python scripts/compare_metrics.py --images cifar10-jpeg-test.zip --count 2500 --rounds 2

Writes results/reference/metrics.md. Every program runs as its users run it, on the same two
folders of PNG files and with the same weights file, in turn; the first half of the images is
"real", and the second, blurred and noisy, is "fake". Without the official weights
(--weights FILE) the network has seeded random ones, so that the numbers compare with one another
and with nothing else. About half an hour on two cores.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from PIL import Image, ImageFilter
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from ganbench.catalogue import EXTRACTOR
from ganbench.choices import choose
from ganbench.data import Data
from ganbench.features import Pass
from ganbench.plugins import discover
from ganbench.specs import Spec

RESULT = Path(__file__).resolve().parents[1] / "results" / "reference" / "metrics.md"
METRICS = "fd,fd-infinity,kid,inception-score,precision-recall,density-coverage"
HUB_NAME = "pt_inception-2015-12-05-6726825d.pth"


def write_folders(archive: Path, count: int, folder: Path) -> tuple[Path, Path]:
    """The two folders: real images, and others made worse."""
    generator = np.random.default_rng(0)
    real, fake = folder / "real", folder / "fake"
    real.mkdir()
    fake.mkdir()
    with ZipFile(archive) as images:
        names = sorted(name for name in images.namelist() if name.endswith((".jpg", ".png")))
        chosen = generator.permutation(len(names))[: 2 * count]
        for place, index in enumerate(chosen):
            with images.open(names[index]) as file:
                image = Image.open(file).convert("RGB")
            if place < count:
                image.save(real / f"{place:05}.png")
                continue
            blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)), np.float64)
            noisy = blurred + generator.normal(0, 8, blurred.shape)
            pixels = noisy.round().clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(fake / f"{place - count:05}.png")
    return fake, real


def write_random_weights(path: Path) -> None:
    """Seeded weights for FID's network, scaled so that activations neither die nor grow."""
    from ganbench_plugins.extractors.inception_network import empty_inception

    generator = torch.Generator().manual_seed(0)

    def fill(name: str, empty: Tensor) -> Tensor:
        if name.endswith("num_batches_tracked"):
            return torch.tensor(0)
        noise = torch.randn(empty.shape, generator=generator)
        if empty.dim() > 1:
            return noise * (2 / empty[0].numel()) ** 0.5
        return (
            (1 + 0.1 * noise).abs() if name.endswith(("running_var", "bn.weight")) else 0.1 * noise
        )

    torch.save({n: fill(n, t) for n, t in empty_inception().state_dict().items()}, path)


@dataclass
class Run:
    """One program, once."""

    output: str
    seconds: float
    peak_bytes: int


def timed(command: list[str], environment: dict[str, str]) -> Run:
    """Run a program; its peak resident memory is the process's own, as the kernel counts it."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read()
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{text[-2000:]}")
    return Run(text, seconds, usage.ru_maxrss * 1024)


def commands(
    fake: Path, real: Path, weights: Path, folder: Path
) -> dict[str, Callable[[int], Run]]:
    """Each program by its name; the argument is the number of the round."""
    hub = folder / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / HUB_NAME).symlink_to(weights)
    torch_home = {"TORCH_HOME": str(folder / "torch")}
    bin_folder = Path(sys.executable).parent
    evaluate = [
        str(bin_folder / "ganbench"), "evaluate", "--fake", str(fake), "--real", str(real),
        "--extractors", f"inception:weights={weights}", "--format", "json", "--device", "cpu",
        "--data-folder", str(folder / "data"),
    ]  # fmt: skip

    def ganbench(metrics: str, cache: Path) -> Run:
        return timed([*evaluate, "--metrics", metrics], {"GANBENCH_CACHE": str(cache)})

    return {
        "pytorch-fid": lambda _: timed(
            [sys.executable, "-m", "pytorch_fid", str(fake), str(real), "--device", "cpu",
             "--num-workers", "0"], torch_home,
        ),
        "ganbench, fd alone": lambda n: ganbench("fd", folder / f"cache-fd-{n}"),
        "torch-fidelity, four metrics": lambda _: timed(
            [str(bin_folder / "fidelity"), "--input1", str(fake), "--input2", str(real), "--fid",
             "--kid", "--isc", "--prc", "--cpu", "--json", "--silent", "--no-cache",
             "--feature-extractor", "inception-v3-compat",
             "--feature-extractor-weights-path", str(weights)], {},
        ),
        "ganbench, all metrics": lambda n: ganbench(METRICS, folder / f"cache-{n}"),
    }  # fmt: skip


def features_of(folder: Path, weights: Path) -> np.ndarray[Any, Any]:
    """What ganbench's extractor sees, for scikit-learn."""
    paths = sorted(folder.glob("*.png"))
    images = torch.stack(
        [torch.from_numpy(np.array(Image.open(p))).permute(2, 0, 1) for p in paths]
    )
    choice = choose(discover(), EXTRACTOR, Spec("inception", (("weights", str(weights)),)))
    extractor = choice.create()
    extractor.check(Data(images, "all"))
    one_pass = Pass(
        extractor.load(torch.device("cpu")), extractor.batch_size, ["values"], len(images)
    )
    one_pass.add(images)
    return one_pass.summary().values.double().numpy()


def by_scikit_learn(fake: np.ndarray[Any, Any], real: np.ndarray[Any, Any]) -> dict[str, float]:
    """The metrics that its kernels and neighbours give, in float64, from their definitions."""
    generator = np.random.RandomState(1)
    subsets = []
    for _ in range(100):
        x, y = (each[generator.choice(len(each), 1000, replace=False)] for each in (fake, real))
        xx, yy, xy = (polynomial_kernel(*pair) for pair in ((x, x), (y, y), (x, y)))
        within = sum((k.sum() - np.trace(k)) / (1000 * 999) for k in (xx, yy))
        subsets.append(within - 2 * xy.mean())

    def radii(values: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
        neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(values)
        return np.asarray(neighbours.kneighbors()[0][:, -1])  # of others than the point itself

    def distances() -> np.ndarray[Any, Any]:
        squares = (fake**2).sum(1)[:, None] + (real**2).sum(1) - 2 * fake @ real.T
        return np.asarray(np.sqrt(squares.clip(0)))

    apart, real3, fake3, real5 = distances(), radii(real, 3), radii(fake, 3), radii(real, 5)
    return {
        "kid": float(np.mean(subsets)),
        "precision": float((apart <= real3).any(1).mean()),
        "recall": float((fake3 >= apart.T).any(1).mean()),
        "density": float((apart < real5).sum() / 5 / len(fake)),
        "coverage": float((apart.min(0) < real5).mean()),
    }


def scores(runs: dict[str, list[Run]]) -> dict[str, dict[str, float]]:
    """By the program, and the metric in ganbench's words."""
    text = runs["ganbench, all metrics"][0].output  # warnings come first
    frame = json.loads(text[text.index("[\n") :])
    ours = {row["metric"].partition("[")[0]: row for row in frame}
    return {
        "ganbench": {name: row["value"] for name, row in ours.items()},
        "noise": {name: row["noise"] for name, row in ours.items()},
        "pytorch-fid": {"fd": float(runs["pytorch-fid"][0].output.split("FID:")[1])},
        "torch-fidelity": _fidelity(runs),
    }


def _fidelity(runs: dict[str, list[Run]]) -> dict[str, float]:
    text = runs["torch-fidelity, four metrics"][0].output
    found = json.loads(text[text.index("{") : text.rindex("}") + 1])
    names = {
        "fd": "frechet_inception_distance", "kid": "kernel_inception_distance_mean",
        "is": "inception_score_mean", "precision": "precision", "recall": "recall",
    }  # fmt: skip
    return {name: found[key] for name, key in names.items()}


_DIFFERENCES = """\
torch-fidelity enlarges images on another bilinear grid than pytorch-fid, which moves whatever it
computes. scikit-learn's kernels and neighbours work on ganbench's features, in float64; its KID
has other subsets of 1,000, and differs by less than the noise, which is of other draws of fakes."""


def page(found: dict[str, dict[str, float]], runs: dict[str, list[Run]], about: str) -> str:
    programs = ["ganbench", "noise", "pytorch-fid", "torch-fidelity", "scikit-learn"]
    lines = [
        "# The same images, scored by four programs", "", about, "",
        "| | " + " | ".join(programs) + " |", "|---|" + "---:|" * len(programs),
    ]  # fmt: skip
    for metric in found["ganbench"]:
        cells = [f"{found[p][metric]:.6g}" if metric in found[p] else "" for p in programs]
        lines.append(f"| {metric} | " + " | ".join(cells) + " |")
    lines += ["", _DIFFERENCES]
    base = statistics.median(run.seconds for run in runs["pytorch-fid"])
    memory = statistics.median(run.peak_bytes for run in runs["pytorch-fid"])
    lines += [
        "", "Time and peak memory as ratios to pytorch-fid's, medians of runs made in turn:", "",
        "| | time | memory |", "|---|---:|---:|",
    ]  # fmt: skip
    for name, some in runs.items():
        seconds = statistics.median(run.seconds for run in some) / base
        size = statistics.median(run.peak_bytes for run in some) / memory
        lines.append(f"| {name} | {seconds:.2f} | {size:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=Path, required=True, help="a zip of images")
    parser.add_argument("--count", type=int, default=2500, help="of real ones, and of fakes")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--weights", type=Path, help="FID's official weights")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fake, real = write_folders(given.images, given.count, folder)
        weights = given.weights or folder / "random.pth"
        if not given.weights:
            write_random_weights(weights)
        programs = commands(fake, real, weights, folder)
        runs: dict[str, list[Run]] = {program: [] for program in programs}
        for number in range(given.rounds):
            for program, run in programs.items():
                runs[program].append(run(number))
                print(f"{program}: {runs[program][-1].seconds:.0f} s", flush=True)
        found = scores(runs)
        found["scikit-learn"] = by_scikit_learn(
            features_of(fake, weights), features_of(real, weights)
        )
    network = "the official weights" if given.weights else "seeded random weights"
    about = (
        f"`python scripts/compare_metrics.py --images {given.images.name} --count {given.count}"
        f" --rounds {given.rounds}`, {given.count:,} real images and as many blurred and noisy"
        f" ones, 32 x 32; Inception of 2015-12-05 with {network}; torch {torch.__version__}, "
        f"{torch.get_num_threads()} CPU threads, Python {platform.python_version()}."
    )
    RESULT.write_text(page(found, runs, about))
    print(RESULT.read_text())


if __name__ == "__main__":
    main()
