import signal
from dataclasses import replace

import pytest

from ganbench import settling, store
from ganbench.errors import StoreError
from ganbench.executors.executor import Ending
from ganbench.executors.job import Job
from ganbench.executors.process import BUSY, INTERRUPTED, LEASE_LOST, LOG_MARK
from ganbench.settling import Settling, Verdict
from ganbench.store import Outcome, RunFolder, Store

KILLED = Ending(-signal.SIGKILL)
DONE = Verdict()


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    run = Store(tmp_path, create=True).run("abc")
    run.plan({})
    return run


@pytest.fixture
def job(tmp_path) -> Job:
    return Job("run", "abc", str(tmp_path), "/nowhere", timeout_seconds=90.0)


def begin(folder: RunFolder, job: Job) -> int:
    """As a worker does it."""
    number = folder.begin_attempt()
    folder.supersede(job.supersedes)
    return number


def fail(folder: RunFolder, job: Job, **details: object) -> None:
    folder.finish(Outcome.CRASHED, attempt=begin(folder, job), **details)


def recorded(folder: RunFolder) -> dict:
    outcome = folder.outcome()
    del outcome["schema"]
    return outcome


def test_what_the_worker_said_itself_stands(folder, job):
    fail(folder, job, error="mine")
    assert Settling(folder).settle(job, KILLED) == DONE
    assert recorded(folder) == {"outcome": "crashed", "attempt": 1, "error": "mine"}


def test_a_run_that_was_killed_is_tried_once_more_and_then_left(folder, job):
    settling = Settling(folder)
    begin(folder, job)
    again, why = settling.settle(replace(job, fresh=True), KILLED)
    assert (again, why) == (replace(job, supersedes=1), "ended by SIGKILL")
    begin(folder, again)
    assert settling.settle(again, KILLED) == DONE
    assert recorded(folder) == {
        "outcome": "crashed", "attempt": 2, "error": "ended by SIGKILL", "signal": 9,
        "last_line": "",
    }  # fmt: skip
    assert [line["attempt"] for line in folder.superseded()] == [1]


def test_each_way_to_be_killed_is_tried_once_more(folder, job):
    settling, numbers = Settling(folder), []
    for number in (9, 11, 64, 9):
        begin(folder, job)
        verdict = settling.settle(job, Ending(-number))
        numbers.append(recorded(folder)["error"])
        job = verdict.again or job
    assert numbers == ["ended by SIGKILL", "ended by SIGSEGV", "ended by SIGRTMAX", numbers[0]]
    assert verdict == DONE


@pytest.mark.parametrize(
    ("code", "printed", "error"),
    [
        (0, "", "exit code 0"),
        (1, "Traceback\n  ...\nOSError: no room\n\n", "exit code 1: OSError: no room"),
        (3, "x" * 2**20, "exit code 3: " + "x" * 200),
    ],
)
def test_a_worker_that_ends_without_a_word_crashed_and_is_left(folder, job, code, printed, error):
    mark = f"\n{LOG_MARK}run, today\n"
    (folder.path / "log.txt").write_text(f"{mark}before\n{mark}{printed}")
    begin(folder, job)
    assert Settling(folder).settle(job, Ending(code)) == DONE
    assert recorded(folder) == {
        "outcome": "crashed", "attempt": 1, "error": error, "exit_code": code
    }  # fmt: skip


def test_one_whose_time_was_up_is_timed_out_whatever_it_said(folder, job):
    begin(folder, job)
    assert Settling(folder).settle(job, Ending(INTERRUPTED, timed_out=True)) == DONE
    assert recorded(folder) == {
        "outcome": "timed_out", "attempt": 1, "error": "still running after 90 s"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ending", "why", "details"),
    [
        (Ending(lost="no node"), "no node", {"error": "no node"}),
        (Ending(BUSY), "another process", {"error": "exit code 75", "exit_code": 75}),
        (Ending(LEASE_LOST), "not heard of", {"error": "exit code 76", "exit_code": 76}),
        (Ending(INTERRUPTED), "asked to end", {"error": "exit code 77", "exit_code": 77}),
    ],
)
def test_what_says_nothing_of_the_run_puts_it_back_three_times(folder, job, ending, why, details):
    settling = Settling(folder)
    for _ in range(3):
        begin(folder, job)
        verdict = settling.settle(job, ending)
        assert verdict.again == job
        assert why in verdict.why
    assert folder.outcome() is None
    begin(folder, job)
    assert settling.settle(job, ending) == DONE
    assert recorded(folder) == {"outcome": "crashed", "attempt": 4, **details}


def test_a_run_that_gets_further_is_put_back_as_often_as_it_takes(folder, job):
    settling = Settling(folder)
    for _ in range(9):
        folder.append_event({"event": "progress"})
        assert settling.settle(job, Ending(INTERRUPTED)).again == job


def test_one_that_ended_before_it_began_is_an_attempt_too(folder, job):
    assert Settling(folder).settle(job, Ending(1)) == DONE
    assert recorded(folder)["attempt"] == 1


def test_an_older_failure_gives_way_though_the_worker_ended_before_it_began(folder, job):
    fail(folder, job, exit_code=7)
    assert Settling(folder).settle(replace(job, supersedes=1), Ending(1)) == DONE
    assert (recorded(folder)["attempt"], recorded(folder)["exit_code"]) == (2, 1)
    assert [line["exit_code"] for line in folder.superseded()] == [7]


def test_an_outcome_that_somebody_else_wrote_in_this_moment_stands(folder, job, monkeypatch):
    first = iter([False])
    monkeypatch.setattr(settling, "is_done", lambda *_: next(first, True))
    folder.finish(Outcome.COMPLETED, attempt=begin(folder, job))
    assert Settling(folder).settle(job, KILLED) == DONE
    assert recorded(folder) == {"outcome": "completed", "attempt": 1}


def test_a_run_that_another_process_has_by_now_is_left_to_it(folder, job):
    begin(folder, job)
    with folder.lease():
        verdict = Settling(folder).settle(job, KILLED)
    assert verdict == Verdict(job, "another process is doing it")
    assert folder.outcome() is None


def test_an_outcome_that_can_not_be_written_is_said_and_what_was_there_stays(
    folder, job, monkeypatch
):
    fail(folder, job, exit_code=7)
    again = replace(job, supersedes=1)

    def full(*_):
        raise StoreError("no space")

    for name in ("append_line", "write_exclusively"):
        with monkeypatch.context() as patch:
            patch.setattr(store, name, full)
            with pytest.raises(StoreError, match="no space"):
                Settling(folder).settle(again, Ending(1))
    assert [line["exit_code"] for line in folder.superseded()] == [7]
    assert Settling(folder).settle(again, Ending(1)) == DONE
    assert recorded(folder)["exit_code"] == 1


def test_a_skipped_run_is_skipped_once(folder, job):
    fail(folder, job)
    for _ in range(2):
        Settling(folder).skip_to(Outcome.SKIPPED, error="does not fit")
    assert recorded(folder) == {"outcome": "skipped", "attempt": 2, "error": "does not fit"}
    assert len(folder.superseded()) == 1


def test_a_run_that_another_process_does_is_not_skipped_for_it(folder, monkeypatch):
    monkeypatch.setattr(settling, "_SKIP_SECONDS", 0.1)
    with folder.lease():
        Settling(folder).skip_to(Outcome.SKIPPED, error="does not fit")
    assert folder.outcome() is None
