import pytest
from filelock import SoftFileLease

from ganbench import waiting
from ganbench.errors import StoreError
from ganbench.executors.job import Job
from ganbench.store import Outcome, Store
from ganbench.waiting import Waiting


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.0)
    store = Store(tmp_path, create=True)
    for key in "abc":
        store.run(key).plan({})
    return store


@pytest.fixture
def jobs(store) -> list[Job]:
    return [Job("run", key, str(store.path), "/nowhere") for key in "abc"]


def test_jobs_come_in_their_order_and_those_put_back_at_the_end(store, jobs):
    queue = Waiting(jobs, store)
    first = queue.next()
    queue.add(first)
    assert len(queue) == 3
    assert [queue.next().key for _ in range(3)] == ["b", "c", "a"]
    assert queue.next() is None
    assert len(queue) == 0


def test_what_another_process_does_waits_and_the_others_go_first(store, jobs):
    queue = Waiting(jobs[:2], store)
    with store.run("a").lease():
        assert queue.next() == jobs[1]
        assert queue.next() is None
        assert queue.done_elsewhere() == []
    assert queue.next() == jobs[0]


def test_it_is_not_looked_at_all_the_time(store, jobs, monkeypatch):
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 3600.0)
    queue = Waiting(jobs[:1], store)
    with store.run("a").lease():
        assert queue.next() is None
    assert queue.next() is None


def test_what_another_process_has_done_is_taken_out_and_not_done_again(store, jobs):
    store.run("b").finish(Outcome.COMPLETED, attempt=1)
    queue = Waiting(jobs, store)
    assert [queue.next().key for _ in range(2)] == ["a", "c"]
    assert queue.next() is None
    assert queue.done_elsewhere() == [jobs[1]]
    assert len(queue) == 0


def test_a_lease_that_can_not_be_written_is_said(store, jobs, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SoftFileLease, "acquire", fail)
    with pytest.raises(StoreError, match="lease' can't be written: No space left on device"):
        Waiting(jobs, store).next()
