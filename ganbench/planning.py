"""From what a user asks to experiments: every name looked up, every part shown to the others."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from ganbench.acceleration import resolve_device
from ganbench.catalogue import (
    ALL,
    ARCHITECTURE,
    DATASET,
    EXTRACTOR,
    METRIC,
    PROTOCOL,
    SCHEDULE,
    Catalogue,
    Kind,
    code_of,
)
from ganbench.choices import Choice, choose
from ganbench.compatibility import check_parts
from ganbench.data import Data
from ganbench.environment import describe
from ganbench.errors import BadInput, NotPrepared, PluginBroken, Unsupported
from ganbench.experiment import Experiment, Objective, choose_objective, with_additions
from ganbench.protocol import check_class
from ganbench.reference import default_folder
from ganbench.request import Request, Setup, default_data_folder
from ganbench.scores import Needed, Score, pair, prepared
from ganbench.specs import Spec, parse_entries, parse_one


def plan(request: Request, setup: Setup, catalogue: Catalogue) -> list[Experiment]:
    """The whole grid: all cells of one seed before the next seed, without doubles.

    A cell whose parts do not fit is in it with its `refusal`, where other cells of the same
    objective fit. An objective that was asked for by its name and fits nowhere is an error.

    Raises:
        GanbenchError: anything asked for does not exist, does not fit, or is not prepared.
    """
    resolve_device(setup.device)
    default_folder()  # who can have no cache hears of it before any training
    protocol = parse_one(request.protocol)
    preset = choose(catalogue, PROTOCOL, protocol)
    check_class(preset.component.cls)
    asked = _asked(catalogue, request.losses)
    objectives = [each.objective for each in asked]
    datasets = request.datasets or preset.component.cls.datasets
    cells = [
        cell
        for dataset in _choose_all(catalogue, DATASET, datasets)
        for cell in _Grid(request, setup, catalogue, protocol, dataset).cells(objectives)
    ]
    _refuse_what_fits_nowhere(cells, {each.objective.short for each in asked if each.by_name})
    everything = [cell.with_seed(seed) for seed in range(request.seeds) for cell in cells]
    return list({experiment.key: experiment for experiment in everything}.values())


class _Asked(NamedTuple):
    """An objective, and whether it was asked for by its own name."""

    objective: Objective
    by_name: bool


def _asked(catalogue: Catalogue, losses: str) -> list[_Asked]:
    """What is to be compared; `all` stands for every loss and every recipe."""
    asked: list[_Asked] = []
    before: tuple[Spec, ...] = ()
    for entry in parse_entries(losses):
        loss, *additions = entry
        try:
            if loss == Spec(ALL):
                asked += [
                    _Asked(with_additions(catalogue, name, additions), by_name=False)
                    for name in catalogue.objectives
                ]
            else:
                asked.append(_Asked(choose_objective(catalogue, entry), by_name=True))
        except BadInput as error:
            raise BadInput(f"{error}{_hint_at_quotes(before, loss)}") from error
        before = entry
    return asked


def _hint_at_quotes(before: Sequence[Spec], loss: Spec) -> str:
    """What can't be understood may be the rest of a value with commas in it."""
    if not before or not before[-1].fields or loss.fields:
        return ""
    field, value = before[-1].fields[-1]
    whole = Spec(before[-1].name, ((field, f"{value},{loss.name}"),))
    return f"\n  If it belongs to the value before it, quote that: {whole}"


def _refuse_what_fits_nowhere(cells: Sequence[Experiment], by_name: Container[str]) -> None:
    fitting = {cell.objective.short for cell in cells if not cell.refusal}
    for cell in cells:
        objective = cell.objective.short
        if cell.refusal and objective not in fitting and (objective in by_name or not fitting):
            raise Unsupported(cell.refusal)


class _Grid:
    """The cells of one data set: everything that is trained on it."""

    def __init__(
        self,
        request: Request,
        setup: Setup,
        catalogue: Catalogue,
        protocol: Spec,
        dataset: Choice,
    ) -> None:
        self._request = request
        self._setup = setup
        self._catalogue = catalogue
        self._protocol = protocol
        self._dataset = dataset
        self._data = load(dataset, setup.data_folder, download=request.download)
        self._fingerprint = self._data.fingerprint()
        self._asked = choose_scores(catalogue, dataset, request.metrics, request.extractors)
        self._prepared: dict[int, tuple[Score, ...]] = {}

    def cells(self, objectives: Sequence[Objective]) -> Iterator[Experiment]:
        for objective in objectives:
            recommended = _recommended(objective) if self._request.rules == "recommended" else {}
            schedules = recommended.pop("schedule", "")
            protocol = self._settled(objective, recommended)
            for architecture in self._architectures(objective, protocol):
                for schedule in self._schedules(objective, protocol, schedules):
                    yield self._cell(objective, architecture, schedule, protocol)

    def _scores(self, samples: int) -> tuple[Score, ...]:
        """The scores, with the settings that they have on this data."""
        if samples not in self._prepared:
            needed = Needed.ALL if self._request.metrics else Needed.HEADLINE
            scales = prepared(self._asked, self._data, samples, needed=needed)
            self._prepared[samples] = tuple(scale.score for scale in scales)
        return self._prepared[samples]

    def _settled(self, objective: Objective, recommended: Mapping[str, str]) -> Choice:
        """The protocol; what the user gave wins over what an objective recommends."""
        fields = {**recommended, **dict(self._protocol.fields)}
        with _declared_by(objective.loss, *objective.additions):
            spec = Spec(self._protocol.name, tuple(fields.items()))
            return choose(self._catalogue, PROTOCOL, spec)

    def _architectures(self, objective: Objective, protocol: Choice) -> tuple[Choice, ...]:
        if self._request.architectures:
            return _choose_all(self._catalogue, ARCHITECTURE, self._request.architectures)
        dataset = self._dataset.component.cls
        suiting = protocol.component.cls.architectures or dataset.architecture
        if objective.loss.declares("needs_autoencoder"):
            suiting = getattr(dataset, "autoencoder", suiting)
        with _declared_by(protocol, self._dataset):
            return _choose_all(self._catalogue, ARCHITECTURE, suiting)

    def _schedules(
        self, objective: Objective, protocol: Choice, recommended: str
    ) -> tuple[Choice, ...]:
        if self._request.schedules:
            return _choose_all(self._catalogue, SCHEDULE, self._request.schedules)
        with _declared_by(protocol, *objective.parts):
            suiting = recommended or protocol.component.cls.schedules
            return _choose_all(self._catalogue, SCHEDULE, suiting)

    def _cell(
        self, objective: Objective, architecture: Choice, schedule: Choice, protocol: Choice
    ) -> Experiment:
        by_the_clock = protocol.create().clock.unit == "s"
        cell = Experiment(
            objective=objective,
            architecture=architecture,
            schedule=schedule,
            dataset=self._dataset,
            data_fingerprint=self._fingerprint,
            scores=self._scores(protocol.create().evaluation_samples),
            protocol=protocol,
            seed=0,
            machine=machine_of(self._setup) if by_the_clock else None,
        )
        try:
            check_parts(cell, self._data)
        except Unsupported as error:
            return replace(cell, refusal=str(error))
        return cell


def _recommended(objective: Objective) -> dict[str, str]:
    """The settings that its parts declare; an addition's win over the loss's."""
    settings: dict[str, str] = {}
    for part in objective.parts:
        settings.update(part.component.recommended)
    return settings


@contextmanager
def _declared_by(*choices: Choice) -> Iterator[None]:
    """Within, what can't be had was declared by one of these and not asked for by the user."""
    try:
        yield
    except BadInput as error:
        names = " or ".join(f"{c.component.kind.name} '{c.component.name}'" for c in choices)
        origins = ", ".join(dict.fromkeys(str(c.component.origin) for c in choices))
        raise PluginBroken(f"{names} (of {origins}) declares what can't be had: {error}") from error


def machine_of(setup: Setup) -> str:
    """The digest of what decides speed here.

    Raises:
        BadInput: the work is done on other machines.
    """
    if not setup.is_here:
        raise BadInput(
            "what a run does in so many seconds depends on the machine, and a cluster has many:\n"
            "  give it a budget in kimg, gsteps, dsteps or flop"
        )
    return str(describe(resolve_device(setup.device), setup.threads, Catalogue(()))["machine"])


def choose_scores(
    catalogue: Catalogue,
    dataset: Choice,
    metrics: str,
    extractors: str,
    suiting: Sequence[str] = (),
) -> tuple[Score, ...]:
    """The metrics and extractors asked for, or what suits; `suiting` before the data set's own."""
    cls = dataset.component.cls
    own = getattr(cls, "extractor", "")
    return pair(
        catalogue,
        _choose_all(catalogue, METRIC, metrics or ",".join(cls.metrics)),
        _choose_all(catalogue, EXTRACTOR, extractors) if extractors else (),
        suiting or ([own] if own else []),
    )


def _choose_all(catalogue: Catalogue, kind: Kind, text: str) -> tuple[Choice, ...]:
    return tuple(choose(catalogue, kind, _single(entry)) for entry in parse_entries(text))


def _single(entry: Sequence[Spec]) -> Spec:
    return parse_one("+".join(map(str, entry)))


def load(dataset: Choice, folder: Path, *, download: bool = False) -> Data:
    """Load a data set; where it is not there, fetch it, or say by which command.

    Raises:
        NotPrepared: it is not there.
        BadInput: a file of it can't be read.
    """
    try:
        with code_of(dataset.component):
            instance = dataset.create()
            if download:
                instance.prepare(folder)
            data: Data = instance.load(folder)
            return data
    except NotPrepared as error:
        command = f"ganbench prepare {quote(dataset.short)}"
        if not _is_default(folder):
            command += f" --data-folder {quote(str(folder))}"
        raise NotPrepared(
            f"data set '{dataset.short}' is not prepared: {error}\n  Prepare it with: {command}"
        ) from error


def _is_default(folder: Path) -> bool:
    try:
        return folder == default_data_folder()
    except BadInput:  # there is none
        return False
