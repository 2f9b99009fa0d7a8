"""What `ganbench run` shows while it works: bars on a terminal, lines elsewhere."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from ganbench.cli.output import escape
from ganbench.experiment import Experiment
from ganbench.request import Setup
from ganbench.results import Results
from ganbench.store import FAILURES
from ganbench.study import Observer

_LOSSES = {"discriminator_loss": "D", "generator_loss": "G", "value": "V"}


@contextmanager
def watching() -> Iterator["Lines"]:
    """Yield an observer that suits where the output goes."""
    console = Console(highlight=False)
    if not console.is_terminal:
        yield Lines(Console(highlight=False, soft_wrap=True))
        return
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
        console=console,
    )
    with progress:
        yield Bars(console, progress)


class Lines(Observer):
    """Prints a line for everything worth one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._statuses: dict[str, str] = {}
        self._telling = [0]  # the places of the labels that tell the cells of a study apart

    def planned(
        self, experiments: Sequence[Experiment], reused: int, setup: Setup, at_once: int
    ) -> None:
        cells = list({experiment.cell_key: experiment for experiment in experiments}.values())
        columns = enumerate(zip(*map(_labels, cells), strict=True))
        self._telling = [place for place, texts in columns if len({*texts}) > 1 or not place]
        seeds = len({experiment.seed for experiment in experiments})
        budget = experiments[0].settings.clock
        protocols = ", ".join(dict.fromkeys(e.protocol.short for e in experiments))
        self.say(
            f"{len(experiments)} runs: {len(cells)} cells x {seeds} seeds, {budget} each"
            f" ({protocols}); {at_once} at once"
        )
        for cell in cells:
            self.say(
                f"  {cell.objective.short} | {cell.schedule.short} | {cell.dataset.short} |"
                f" {cell.architecture.short}"
            )
        if reused:
            self.say(f"{reused} of them are in '{setup.store}' already and are reused")

    def left(self, experiment: Experiment, outcome: Mapping[str, Any]) -> None:
        self.say(
            f"{self._run_name(experiment)} failed twice in the same way and is left"
            f" ({outcome['outcome']}); `--existing failed` tries it again"
        )

    def timing(self, experiment: Experiment, number: int, total: int) -> None:
        self.say(f"measuring speed, {number} of {total}: {self._name(experiment)}")

    def untimed(self, experiment: Experiment, error: str) -> None:
        self.say(f"{self._name(experiment)} could not be timed: {error}")

    def estimated(self, training_seconds: float) -> None:
        if not math.isnan(training_seconds):
            self.say(f"training will take about {_duration(training_seconds)}, evaluations aside")

    def started(self, experiment: Experiment) -> None:
        self.say(f"started {self._run_name(experiment)}")

    def progressed(self, experiment: Experiment, event: Mapping[str, Any]) -> None:
        status = self._status(experiment, event)
        if event["event"] == "evaluated":
            self.say(f"{self._run_name(experiment)}: {event['images']} images, {status}")

    def again(self, experiment: Experiment, why: str) -> None:
        self.say(f"{self._run_name(experiment)} will be tried again: {why}")

    def stopped(self, experiment: Experiment) -> None:
        self.say(f"stopping, as {self._run_name(experiment)} failed (`--on-failure stop`)")

    def ended(self, experiment: Experiment, outcome: Mapping[str, Any]) -> None:
        error = f": {outcome['error']}" if outcome.get("error") else ""
        self.say(f"{outcome['outcome']} {self._run_name(experiment)}{error}")
        if outcome.get("plugin"):
            self.say(f"  in plugin {outcome['plugin']}")
        elif outcome["outcome"] in FAILURES:
            origins = dict.fromkeys(choice.component.origin for choice in experiment.choices)
            taking_part = [str(origin) for origin in origins if not origin.is_bundled]
            if taking_part:
                self.say(f"  with code of {', '.join(taking_part)}")

    def interrupted(self, results: Results) -> None:
        finished = sum(folder.has_result for folder in results.folders)
        self.say(
            f"interrupted: {finished} of {len(results.folders)} runs are finished and kept in"
            f" '{results.path}'.\nGo on by running the same command again."
        )

    def farewell(self, results: Results) -> None:
        finished = [folder for folder in results.folders if folder.has_result]
        pictures = [path for folder in finished for path in folder.pictures()[-1:]]
        self.say(f"\nresults in '{results.path}'; print them again with: {_table_command(results)}")
        if pictures:
            self.say("samples of each run over time lie in its folder, such as:")
            self.say(f"  {max(pictures, key=lambda path: path.name)}")

    def _name(self, experiment: Experiment) -> str:
        labels = _labels(experiment)
        return " ".join(labels[place] for place in self._telling)

    def _run_name(self, experiment: Experiment) -> str:
        return f"{self._name(experiment)} seed {experiment.seed}"

    def say(self, text: str) -> None:
        self._console.print(escape(text))

    def _status(self, experiment: Experiment, event: Mapping[str, Any]) -> str:
        """The latest losses and the latest headline metric of a run."""
        losses = [f"{short} {event[n]:.3g}" for n, short in _LOSSES.items() if n in event]
        scores = [
            f"{name.partition('[')[0]} {value:.4g}"
            for name, value in list(event.get("metrics", {}).items())[:1]
            if value is not None
        ]
        for kind, found in (("losses", losses), ("score", scores)):
            if found:
                self._statuses[f"{experiment.key}/{kind}"] = " ".join(found)
        keys = (f"{experiment.key}/score", f"{experiment.key}/losses")
        return "  ".join(self._statuses[key] for key in keys if key in self._statuses)


class Bars(Lines):
    """A bar for the whole study and one for each run under way."""

    def __init__(self, console: Console, progress: Progress) -> None:
        super().__init__(console)
        self._progress = progress
        self._all: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shares: dict[str, float] = {}

    def planned(
        self, experiments: Sequence[Experiment], reused: int, setup: Setup, at_once: int
    ) -> None:
        super().planned(experiments, reused, setup, at_once)
        self._all = self._progress.add_task(
            "all runs", total=len(experiments) - reused, status="", start=False
        )

    def started(self, experiment: Experiment) -> None:
        if self._all is not None:
            self._progress.start_task(self._all)
        name = escape(self._run_name(experiment))
        self._tasks[experiment.key] = self._progress.add_task(name, total=1.0, status="starting")

    def progressed(self, experiment: Experiment, event: Mapping[str, Any]) -> None:
        task = self._tasks.get(experiment.key)
        if task is None:
            return
        status = escape(self._status(experiment, event))
        share = min(1.0, event.get("share", self._shares.get(experiment.key, 0.0)))
        self._shares[experiment.key] = share
        self._progress.update(task, completed=share, status=status)
        self._update_all()

    def again(self, experiment: Experiment, why: str) -> None:
        self._forget(experiment)
        super().again(experiment, why)

    def ended(self, experiment: Experiment, outcome: Mapping[str, Any]) -> None:
        self._forget(experiment)
        self._shares[experiment.key] = 1.0
        self._update_all()
        super().ended(experiment, outcome)

    def _forget(self, experiment: Experiment) -> None:
        task = self._tasks.pop(experiment.key, None)
        if task is not None:
            self._progress.remove_task(task)

    def _update_all(self) -> None:
        if self._all is not None:
            self._progress.update(self._all, completed=sum(self._shares.values()))


def _table_command(results: Results) -> str:
    default = results.path == Path("results")
    return "ganbench table" if default else f"ganbench table --store {quote(str(results.path))}"


def _labels(experiment: Experiment) -> tuple[str, ...]:
    parts = (experiment.schedule, experiment.dataset, experiment.architecture)
    return (experiment.objective.short, *(part.short for part in parts))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
