"""Studies whose processes are a script: what each does to its run's folder, and how it ends."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ganbench import store as storing
from ganbench import study as studying
from ganbench import waiting
from ganbench.errors import StoreError
from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.executors.process import BUSY, INTERRUPTED
from ganbench.experiment import Experiment
from ganbench.files import write_json
from ganbench.planning import plan
from ganbench.request import Request, Setup
from ganbench.results import Results
from ganbench.store import Outcome, RunFolder, Store
from ganbench.study import Observer, Study

Act = Callable[[Job, RunFolder], Ending]
LOSSES = ("nonsat", "minimax", "hinge")


def ends(outcome: str, **details: Any) -> Act:
    """A worker that says itself how its run ended."""

    def act(job: Job, folder: RunFolder) -> Ending:
        number = folder.begin_attempt()
        folder.supersede(job.supersedes)
        folder.append_event({"event": "progress", "share": 1.0})
        folder.finish(Outcome(outcome), attempt=number, **details)
        return Ending()

    return act


def dies(code: int = 0, **how: Any) -> Act:
    """A worker that begins, and ends without a word."""

    def act(job: Job, folder: RunFolder) -> Ending:
        folder.begin_attempt()
        folder.supersede(job.supersedes)
        return Ending(code, **how)

    return act


COMPLETES = ends("completed")


class Scripted:
    """An executor that does what the script says of each run, the last of it again and again."""

    is_here = False

    def __init__(self, script: Mapping[str, list[Act]], slots: int) -> None:
        self.script = {key: list(acts) for key, acts in script.items()}
        self.slots = slots
        self.jobs: list[Job] = []
        self.stops = 0
        self.timing = Ending()
        self._over: list[tuple[Job, Ending]] = []

    def start(self, job: Job) -> None:
        assert len(self._over) < self.slots
        self.jobs.append(job)
        folder = RunFolder(job.run_path)
        if job.task == "time":
            cell = folder.recipe()["cell"]
            if self.timing == Ending():
                store = Store(folder.path.parents[1])
                write_json(store.throughput_path(cell, "m"), {"cell": cell})
            self._over.append((job, self.timing))
        else:
            acts = self.script.get(job.key, [COMPLETES])
            act = acts.pop(0) if len(acts) > 1 else acts[0]
            self._over.append((job, act(job, folder)))

    def ended(self) -> list[tuple[Job, Ending]]:
        over, self._over = self._over, []
        return over

    def stop(self) -> None:
        self.stops += 1

    @property
    def done(self) -> list[Job]:
        return [job for job in self.jobs if job.task == "run"]


class Noting(Observer):
    """Keeps what it was told, as (what, loss, how)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.reused = 0

    def planned(self, experiments, reused, setup, at_once):
        self.reused = reused

    def left(self, experiment, outcome):
        self._note("left", experiment, outcome["outcome"])

    def timing(self, experiment, number, total):
        self._note("timing", experiment, f"{number}/{total}")

    def untimed(self, experiment, error):
        self._note("untimed", experiment, error)

    def again(self, experiment, why):
        self._note("again", experiment, why)

    def ended(self, experiment, outcome):
        self._note("ended", experiment, outcome["outcome"])

    def stopped(self, experiment):
        self._note("stopped", experiment, "")

    def progressed(self, experiment, event):
        self._note("progressed", experiment, event["event"])

    def _note(self, what: str, experiment: Experiment, how: str) -> None:
        self.told.append((what, experiment.objective.short, how))

    def of(self, what: str) -> list[tuple[str, str]]:
        return [(loss, how) for kind, loss, how in self.told if kind == what]


@pytest.fixture(scope="session")
def cells(bundled, tmp_path_factory) -> dict[str, Experiment]:
    """One run of each loss."""
    request = Request(
        losses=",".join(LOSSES),
        datasets="gaussian:size=500",
        architectures="mlp:width=8:depth=1",
        protocol="quick:batch_size=4:evaluations=1:evaluation_samples=50:budget=10gsteps",
        seeds=1,
    )
    folder = tmp_path_factory.mktemp("plan")
    planned = plan(request, Setup(folder / "store", folder / "data", "cpu"), bundled)
    return {experiment.objective.short: experiment for experiment in planned}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studying, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.0)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def execute(cells, store, tmp_path, monkeypatch):
    """Do the study as scripted by the losses' names; return the executor and the observer."""

    def done(script: Mapping[str, list[Act]] | None = None, slots: int = 1, **setup: Any):
        refused = setup.pop("refused", ())
        observer, timing = Noting(), setup.pop("timing", Ending())
        by_key = {cells[loss].key: acts for loss, acts in (script or {}).items()}
        executor = Scripted(by_key, slots)
        executor.timing = timing
        monkeypatch.setattr(studying, "executor_for", lambda *_: executor)
        experiments = [
            replace(cell, refusal="does not fit" if loss in refused else "")
            for loss, cell in cells.items()
        ]
        study = Study(experiments, Setup(store.path, tmp_path / "data", "cpu", **setup))
        try:
            study.execute(observer)
        finally:
            assert executor.stops == bool(executor.jobs)
            assert len(Results(store.path, study.keys).runs()) == len(LOSSES)
        return executor, observer

    return done


@pytest.fixture
def outcomes(cells, store):
    """Each loss's outcome as it is in the store."""

    def read() -> dict[str, str]:
        folders = {loss: store.run(cell.key) for loss, cell in cells.items()}
        return {loss: folder.status for loss, folder in folders.items()}

    return read


ENDINGS: dict[str, tuple[list[Act], str, int]] = {
    "completed": ([COMPLETES], "completed", 1),
    "diverged": ([ends("diverged", step=3)], "diverged", 1),
    "out of memory": ([ends("out_of_memory")], "out_of_memory", 1),
    "plugin error": ([ends("plugin_error", plugin="theirs")], "plugin_error", 1),
    "no word": ([dies(0)], "crashed", 1),
    "exit code": ([dies(3)], "crashed", 1),
    "killed twice": ([dies(-9)], "crashed", 2),
    "killed once": ([dies(-9), COMPLETES], "completed", 2),
    "killed in two ways": ([dies(-9), dies(-11), dies(-11)], "crashed", 3),
    "too slow": ([dies(-15, timed_out=True)], "timed_out", 1),
    "lost for ever": ([dies(lost="no node")], "crashed", 4),
    "lost once": ([dies(lost="no node"), COMPLETES], "completed", 2),
    "asked to end": ([dies(INTERRUPTED), COMPLETES], "completed", 2),
    "somebody else's, for a moment": ([lambda *_: Ending(BUSY), COMPLETES], "completed", 2),
    "gone before it began": ([lambda *_: Ending(1)], "crashed", 1),
}


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("case", ENDINGS)
def test_every_end_is_an_outcome_and_the_others_are_done(execute, outcomes, case, slots):
    acts, outcome, times = ENDINGS[case]
    executor, observer = execute({"minimax": acts}, slots)
    assert outcomes() == {"nonsat": "completed", "minimax": outcome, "hinge": "completed"}
    assert sorted(observer.of("ended")) == sorted(outcomes().items())
    assert len(executor.done) == 2 + times
    assert len(observer.of("again")) == times - 1


def failed(*manners: dict[str, Any]) -> list[Act]:
    """What brings a run to its last outcome by as many studies."""
    return [ends("crashed", **manner) for manner in manners]


# What is in the store, and whether it is done again with reuse, failed, rerun.
BEFORE: dict[str, tuple[list[Act], bool, bool, bool]] = {
    "completed": ([COMPLETES], False, False, True),
    "diverged": ([ends("diverged")], False, False, True),
    "failed once": (failed({"signal": 9}), True, True, True),
    "failed twice alike": (failed({"signal": 9}, {"signal": 9}), False, True, True),
    "failed twice unlike": (failed({"signal": 9}, {"exit_code": 1}), True, True, True),
    "timed out": ([ends("timed_out")], True, True, True),
    "skipped": ([ends("skipped")], True, True, True),
    "interrupted": ([dies()], True, True, True),
    "nothing": ([], True, True, True),
}


@pytest.mark.parametrize(("place", "existing"), [(1, "reuse"), (2, "failed"), (3, "rerun")])
@pytest.mark.parametrize("case", BEFORE)
def test_what_is_there_is_kept_or_done_again(
    execute, outcomes, cells, store, case, place, existing
):
    key = cells["minimax"].key
    folder = store.run(key)
    folder.plan(cells["minimax"].recipe())
    for act in BEFORE[case][0]:
        number = (folder.outcome() or {}).get("attempt", 0)
        act(Job("run", key, str(store.path), "", supersedes=number), folder)
    before, outcome = len(folder.attempts()), folder.outcome()
    executor, observer = execute(existing=existing)
    mine = [job for job in executor.done if job.key == key]
    assert len(mine) == BEFORE[case][place]
    assert set(outcomes()) == set(LOSSES)
    if mine:
        assert outcomes()["minimax"] == "completed"
        assert mine[0].fresh is (existing == "rerun")
        assert mine[0].supersedes == (0 if outcome is None else outcome["attempt"])
        assert len(folder.superseded()) == max(0, len(BEFORE[case][0]) - (outcome is None))
    else:
        assert folder.outcome() == outcome
        assert len(folder.attempts()) == before
    left = [("minimax", "crashed")] if case == "failed twice alike" and not mine else []
    assert observer.of("left") == left
    assert observer.reused == (not mine and not left)


def test_a_study_is_done_once(execute, outcomes):
    execute({"minimax": [dies(3)], "hinge": [ends("diverged")]})
    executor, observer = execute({"minimax": [dies(3)]})
    assert [job.supersedes for job in executor.done] == [1]
    assert observer.reused == 2
    executor, observer = execute()
    assert executor.jobs == []
    assert observer.told == [("left", "minimax", "crashed")]
    assert outcomes() == {"nonsat": "completed", "minimax": "crashed", "hinge": "diverged"}


@pytest.mark.parametrize("failure", ["plugin_error", "timed_out", "crashed", "out_of_memory"])
def test_a_study_can_stop_at_a_failure(execute, outcomes, failure):
    _, observer = execute({"minimax": [ends(failure)]}, on_failure="stop")
    assert outcomes() == {"nonsat": "completed", "minimax": failure, "hinge": "not started"}
    assert observer.of("stopped") == [("minimax", "")]
    execute({"minimax": [COMPLETES]}, on_failure="stop")
    assert set(outcomes().values()) == {"completed"}


def test_divergence_stops_nothing(execute, outcomes):
    execute({"minimax": [ends("diverged")]}, on_failure="stop")
    assert outcomes()["hinge"] == "completed"


def test_cells_that_do_not_fit_are_skipped_and_are_rows(execute, outcomes, store, cells):
    for _ in range(2):
        executor, observer = execute(refused=("minimax",))
        assert outcomes() == {"nonsat": "completed", "minimax": "skipped", "hinge": "completed"}
        assert ("minimax", "skipped") in observer.of("ended")
    assert store.run(cells["minimax"].key).outcome()["error"] == "does not fit"
    assert executor.jobs == []


def test_all_may_be_skipped(execute, outcomes):
    executor, _ = execute(refused=LOSSES)
    assert set(outcomes().values()) == {"skipped"}
    assert executor.jobs == []


def test_what_another_process_is_doing_is_waited_for_and_taken_as_done(
    execute, outcomes, cells, store
):
    """It has the run when the study begins, and is done when the others are."""
    folder = store.run(cells["nonsat"].key)
    folder.plan(cells["nonsat"].recipe())
    lease = folder.lease()
    lease.acquire()

    def other_is_done(job: Job, own: RunFolder) -> Ending:
        COMPLETES(Job("run", folder.key, str(store.path), ""), folder)
        lease.release()
        return COMPLETES(job, own)

    executor, observer = execute({"hinge": [other_is_done]})
    assert [job.key for job in executor.done] == [cells["minimax"].key, cells["hinge"].key]
    assert len(observer.of("ended")) == 3
    assert set(outcomes().values()) == {"completed"}


def test_a_run_that_another_process_is_doing_is_not_skipped_for_it(execute, cells, store):
    folder = store.run(cells["minimax"].key)
    folder.plan(cells["minimax"].recipe())
    with pytest.MonkeyPatch.context() as patch, folder.lease():
        patch.setattr("ganbench.settling._SKIP_SECONDS", 0.0)
        _, observer = execute(refused=("minimax",))
    assert ("minimax", "running") in observer.of("ended")


def test_a_full_disk_is_one_message_and_loses_nothing(execute, outcomes, monkeypatch):
    def full(*_: object) -> bool:
        raise StoreError("'outcome.json' can't be written: No space left on device")

    def fills_the_disk(job: Job, folder: RunFolder) -> Ending:
        monkeypatch.setattr(storing, "write_exclusively", full)
        return dies(3)(job, folder)

    with pytest.raises(StoreError, match="No space left"):
        execute({"minimax": [fills_the_disk]})
    monkeypatch.undo()
    assert outcomes() == {"nonsat": "completed", "minimax": "interrupted", "hinge": "not started"}


def test_cells_are_timed_once_and_those_that_only_fail_not_again(execute):
    _, observer = execute({"minimax": [dies(3)]})
    assert [how for _, how in observer.of("timing")] == ["1/3", "2/3", "3/3"]
    _, observer = execute(existing="rerun")
    assert observer.of("timing") == []


def test_a_cell_that_is_left_is_not_timed_again(execute, store):
    for _ in range(2):
        execute({"minimax": [dies(3)]})
    for path in (store.path / "throughput").iterdir():
        path.unlink()
    _, observer = execute({"hinge": [COMPLETES]}, existing="reuse")
    assert observer.told == [("left", "minimax", "crashed")]


@pytest.mark.parametrize(
    ("timing", "why"),
    [
        (Ending(1), "exit code 1"),
        (Ending(-11), "ended by SIGSEGV"),
        (Ending(-15, timed_out=True), "still running after 90 s"),
        (Ending(lost="no node"), "no node"),
    ],
)
def test_a_cell_that_can_not_be_timed_is_said_and_its_runs_are_done(execute, outcomes, timing, why):
    _, observer = execute(timing=timing, timeout_seconds=90.0)
    assert observer.of("untimed") == [(loss, why) for loss in LOSSES]
    assert set(outcomes().values()) == {"completed"}
