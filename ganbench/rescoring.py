"""Scores of what is there already: two sets of samples, or the generator of a stored run."""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from ganbench import records
from ganbench.acceleration import resolve_device, use
from ganbench.assembly import latent_space
from ganbench.catalogue import Catalogue
from ganbench.choices import Choice
from ganbench.data import Data
from ganbench.errors import (
    BadInput,
    ContractBroken,
    GanbenchError,
    PluginBroken,
    StoreError,
)
from ganbench.evaluation import Evaluator, NotFinite, evaluation_latents
from ganbench.experiment import HARNESS, Experiment, from_recipe
from ganbench.planning import choose_scores, load
from ganbench.printable import printable
from ganbench.reference import References, default_folder
from ganbench.request import Setup
from ganbench.results import Results
from ganbench.sample_sets import chosen_set, how_to_read
from ganbench.scores import Needed, Scale, prepared
from ganbench.scoring import Scored, Scorer
from ganbench.store import RunFolder
from ganbench.tensor_files import opened, read_like

_PIECE = 500  # samples that are on the device at once, besides what extractors hold
_KNOWN_RUNS = 10  # that a message names


@dataclass(frozen=True)
class Wanted:
    """What to score by, as specs; an empty one means what suits the real data.

    Args:
        download: fetch a data set that is not there.
    """

    metrics: str = ""
    extractors: str = ""
    download: bool = False

    @property
    def needed(self) -> Needed:
        """What has to be had: all that was asked for by its name."""
        if not self.metrics:
            return Needed.HEADLINE
        return Needed.ALL if self.extractors else Needed.EACH_METRIC


@dataclass(frozen=True)
class Report:
    """The scores of one set of samples.

    Args:
        scores: a row per value: `metric` with its settings, `direction`, `value`, `noise`.
        caption: what was compared with what.
    """

    scores: pd.DataFrame
    caption: str


def score_sets(fake: str, real: str, wanted: Wanted, setup: Setup, catalogue: Catalogue) -> Report:
    """Score generated samples against real ones.

    Args:
        fake: a folder or a zip, or the spec of a data set, which goes before a folder of that
            name; so is `real`.

    Raises:
        GanbenchError: anything asked for does not exist, does not fit, or is not prepared.
    """
    chosen = chosen_set(real, catalogue, channels=3)
    real_data = load(chosen, setup.data_folder, download=wanted.download)
    channels = real_data.shape[0] if real_data.is_images else 3
    fakes = chosen_set(fake, catalogue, channels)
    fake_data = load(fakes, setup.data_folder, download=wanted.download)
    if fake_data.shape != real_data.shape or fake_data.is_images != real_data.is_images:
        raise BadInput(
            f"the generated samples are {_told(fakes, fake_data)} and the real ones"
            f" {_told(chosen, real_data)}; they need one shape.{how_to_read(catalogue, channels)}"
        )
    scales = _scales(chosen, real_data, len(fake_data), wanted, catalogue)
    device = resolve_device(setup.device)
    use(device, setup.threads)
    with _faults_named():
        scorer = Scorer(scales, real_data, len(fake_data), device, References(default_folder()))
        for piece in fake_data.samples.split(_PIECE):
            scorer.update(piece.to(device))
        scored = scorer.result()
    caption = f"fake {_told(fakes, fake_data)}\nreal {_told(chosen, real_data)}"
    return _report(scorer, scored, caption)


def score_runs(
    runs: Sequence[str], samples: int, wanted: Wanted, setup: Setup, catalogue: Catalogue
) -> Iterator[Report]:
    """Score the generators of stored runs again; what comes out is kept in their folders too.

    Fakes come from a run's own evaluation latents, so that with the settings of its training
    the numbers are those of its last evaluation.

    Args:
        runs: the first digits of their keys, or their folders.
        samples: fakes of each; 0 for as many as its protocol has.

    Raises:
        GanbenchError: there is no such run, it has no generator, or what it was made of changed.
    """
    for folder in [_found(run, setup.store) for run in runs]:
        yield _score_run(folder, samples, wanted, setup, catalogue)


def _score_run(
    folder: RunFolder, samples: int, wanted: Wanted, setup: Setup, catalogue: Catalogue
) -> Report:
    experiment = _experiment(folder, catalogue)
    data = load(experiment.dataset, setup.data_folder, download=wanted.download)
    if data.fingerprint() != experiment.data_fingerprint:
        raise BadInput(f"the data of {experiment.dataset.short} changed since the run was planned")
    samples = samples or experiment.settings.evaluation_samples
    scales = _scales_of_run(experiment, data, samples, wanted, catalogue)
    device = resolve_device(setup.device)
    use(device, setup.threads)
    generator = _generator(experiment, data, folder).to(device)
    with _faults_named():
        scorer = Scorer(
            scales, data, samples, device, References(default_folder()), experiment.settings.drawn
        )
        latents = latent_space(experiment).draw(samples, evaluation_latents(experiment.seed))
        scored = Evaluator(scorer, latents, device, images=data.is_images).evaluate(generator)
    try:
        folder.append_evaluation({"time": time.time(), "device": str(device), **scored.as_json()})
    except StoreError as error:
        warnings.warn(f"the scores can't be kept: {error}", stacklevel=2)
    recipe = f"{experiment.objective.short} on {experiment.dataset.short}, seed {experiment.seed}"
    return _report(scorer, scored, printable(f"run {folder.key[:12]}: {recipe}"))


@contextmanager
def _faults_named() -> Iterator[None]:
    """A plugin's fault is one message: there is no run that it could be a row of."""
    try:
        yield
    except GanbenchError:
        raise
    except NotFinite:
        raise BadInput("the generator makes values that are not finite: it has failed") from None
    except ContractBroken as error:
        raise PluginBroken(str(error)) from error
    except Exception as error:
        kind = type(error).__name__
        raise PluginBroken(f"a metric or an extractor failed: {kind}: {error}") from error


def _experiment(folder: RunFolder, catalogue: Catalogue) -> Experiment:
    """What the run was; its metrics may have changed since, and nothing else of it."""
    recipe = records.recipe(folder.path, *records.WHOLE)
    short = folder.key[:12]
    if recipe.get("harness") != HARNESS:
        raise BadInput(f"run {short} was made by another version of the harness than this one")
    experiment = from_recipe(recipe, catalogue, same_code=False)
    for kind in ("architecture", "dataset", "protocol"):
        part: Choice = getattr(experiment, kind)
        if any(recipe[kind].get(name) != value for name, value in _made_of(part).items()):
            raise BadInput(
                f"run {short} was made with another version of {part.component.kind.name}"
                f" '{part.short}' than is installed now: its scores would be another network's"
            )
    return experiment


def _made_of(part: Choice) -> dict[str, Any]:
    """What can't have changed; its fields come from the recipe itself."""
    return {name: value for name, value in part.key_parts().items() if name != "fields"}


def _told(choice: Choice, data: Data) -> str:
    shape = " x ".join(map(str, data.shape))
    return printable(f"{choice.short}: {len(data):,} of {shape} ({data.split})")


def _scales(
    dataset: Choice,
    data: Data,
    samples: int,
    wanted: Wanted,
    catalogue: Catalogue,
    extractors: Sequence[str] = (),
) -> list[Scale]:
    """The scales of what is wanted; `extractors` go before the one that suits the data."""
    scores = choose_scores(catalogue, dataset, wanted.metrics, wanted.extractors, extractors)
    return prepared(scores, data, samples, needed=wanted.needed, with_players=False)


def _scales_of_run(
    experiment: Experiment, data: Data, samples: int, wanted: Wanted, catalogue: Catalogue
) -> list[Scale]:
    """Those of its training; or what is wanted, on each of its own extractors that fits."""
    if wanted.metrics or wanted.extractors:
        own = [score.extractor.text for score in experiment.scores if score.extractor]
        distinct = list(dict.fromkeys(own))
        return _scales(experiment.dataset, data, samples, wanted, catalogue, distinct)
    return prepared(experiment.scores, data, samples, needed=wanted.needed, with_players=False)


def _found(run: str, store: Path) -> RunFolder:
    if (Path(run) / "recipe.json").is_file():
        return RunFolder(Path(run).resolve())
    results = Results(store)
    matching = [f for f in results.folders if run and f.key.startswith(run)]
    if len(matching) != 1:
        runs = results.runs()
        known = [
            printable(f"  {row['run'][:12]}  {row['loss']} on {row['dataset']}, seed {row['seed']}")
            for _, row in runs[runs["outcome"] == "completed"].head(_KNOWN_RUNS).iterrows()
        ]
        problem = "more than one run's key begins" if matching else "no run's key begins"
        raise BadInput("\n".join([f"{problem} with '{run}' in {store}.", "  Completed:", *known]))
    return matching[0]


def _generator(experiment: Experiment, data: Data, folder: RunFolder) -> nn.Module:
    """The network that the run's last evaluation scored."""
    with torch.random.fork_rng(devices=[]):
        generator: nn.Module = experiment.architecture.create().build(data.shape)[0]
    try:
        with opened(folder.generator_path) as file:
            generator.load_state_dict(read_like(file, generator.state_dict()))
    except FileNotFoundError:
        raise BadInput(
            f"run {folder.key[:12]} has no generator to score: only completed runs keep theirs"
        ) from None
    except ValueError as error:
        raise BadInput(
            f"the generator of run {folder.key[:12]} is not the one that"
            f" '{experiment.architecture.short}' makes now: {error}"
        ) from error
    return generator.requires_grad_(False)


def _report(scorer: Scorer, scored: Scored, caption: str) -> Report:
    if scored.alike:
        caption += "\nall generated samples are one and the same: the generator has failed"
    rows: Sequence[dict[str, object]] = [
        {
            "metric": column.name,
            "direction": column.direction,
            "value": scored.estimates[column.name].value,
            "noise": scored.estimates[column.name].noise,
        }
        for column in scorer.columns
    ]
    return Report(pd.DataFrame(rows), caption)
