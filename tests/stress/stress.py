"""Kill `ganbench run` at every write, at random moments and two at once; compare what is left.

    python tests/stress/stress.py [--short] [--seed 0] [--only SCENARIO,...] [--amount 0.5]

A process that has imported everything forks the commands and their workers, so that one costs a
fraction of a second: they are as good as fresh ones, in sessions of their own, and see the same
environment. `real` takes real ones. After each kill the store has to be readable; in the end it
has to be what an undisturbed study leaves, to the bit, but for times.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import faults
import torch
from filelock import Timeout

from ganbench import store as stores
from ganbench import timing
from ganbench.cli import main as cli_main
from ganbench.cli import progress  # noqa: F401, so that no fork has to import it
from ganbench.executors import process as processes
from ganbench.executors import worker
from ganbench.executors.job import Job
from ganbench.executors.process import WorkerProcess
from ganbench.planning import plan
from ganbench.plugins import discover
from ganbench.request import Request, Setup
from ganbench.results import Results
from ganbench.settling import Settling
from ganbench.store import RunFolder, Store
from ganbench.upkeep.check import check
from ganbench.waiting import Waiting

PROTOCOL = "quick:batch_size=8:evaluations=4:evaluation_samples=200:ema_half_life_kimg=0.05:budget="
LOSSES = "nonsat+lecam:start=3,wgan-gp"
DATA = {"datasets": "ring:size=1000", "architectures": "mlp:width=16:depth=1"}
LIMIT = 120.0  # seconds until a process that does not end is a finding


class Finding(Exception):
    """Something that must not be."""


# Processes


_ENDING = {signal.SIGINT, signal.SIGTERM}


class Fork:
    """A forked process in a session of its own, with what ganbench uses of subprocess.Popen."""

    def __init__(self, target: Callable[[], object], environment: Mapping[str, str], out: int):
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        # Within a fork Python loses the exception that a signal raises; subprocess makes none.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        self.pid = os.fork()
        if not self.pid:
            _become(target, environment, out)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (LIMIT if timeout is None else timeout)
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("fork", timeout or LIMIT)
            time.sleep(0.005)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(target: Callable[[], object], environment: Mapping[str, str], out: int) -> None:
    """In the child: run the target and end, as an interpreter of its own would."""
    code: object = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        for number in (signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        os.environ.clear()
        os.environ.update(environment)
        faults.install(_role())
        target()
        code = 0
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        traceback.print_exc()
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1 if code else 0)


def _role() -> str:
    return os.environ.pop("STRESS_ROLE", "parent")


def _worker(arguments: Sequence[str], **options: Any) -> Fork:
    """In place of subprocess.Popen in executors/process.py."""
    text = arguments[-1]

    def work() -> None:
        sys.argv = ["worker", text]
        worker.main()

    role = {"STRESS_ROLE": json.loads(text)["task"]}
    return Fork(work, {**options["env"], **role}, options["stdout"].fileno())


def fork_workers() -> None:
    """From here on workers are forked, and a cell is timed in no time."""
    processes.subprocess = SimpleNamespace(  # type: ignore[assignment]
        Popen=_worker, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired
    )
    timing._WARM_UP_SECONDS, timing._WINDOW_SECONDS = 0.01, 0.005
    timing._PEAK_SIZE["cpu"] = 64
    torch.optim.Adam([torch.zeros(1)])  # it imports torch._dynamo, for more than a second


# What is run, and what it leaves


@dataclass(frozen=True)
class Small:
    """A study.

    Args:
        steps: of G, a checkpoint after each quarter.
    """

    steps: int
    seeds: int
    losses: str = LOSSES

    def command(self, store: Path, *more: str) -> list[str]:
        return [
            "ganbench", "run", "--losses", self.losses, "--seeds", str(self.seeds),
            *(word for name, value in DATA.items() for word in (f"--{name}", value)),
            "--protocol", f"{PROTOCOL}{self.steps}gsteps", "--device", "cpu",
            "--checkpoint-every", "0s", "--jobs", "2", "--store", str(store), *more,
        ]  # fmt: skip


def left(store: Path) -> dict[str, Any]:
    """All that a study leaves, but for times and the number of the last attempt."""
    runs = {folder.key: _run(folder) for folder in Store(store).runs()}
    return {"runs": runs, "table": table(store)}


def _run(folder: Any) -> dict[str, Any]:
    outcome = folder.outcome()
    if outcome is None:
        raise Finding(f"{folder.path} has no outcome")
    if outcome.pop("sha256", None) != folder.digests():
        raise Finding(f"{folder.path} is not what its outcome says")
    try:
        folder.lease().acquire(timeout=10).lock.release()  # seconds, where it has no name in it
    except Timeout:
        raise Finding(f"{folder.path} is leased still") from None
    return {
        "outcome": _timeless(outcome),
        "events": [_timeless(event) for event in folder.events()],
        "generator": sha256(folder.generator_path.read_bytes()).hexdigest(),
        "pictures": {p.name: sha256(p.read_bytes()).hexdigest() for p in folder.pictures()},
        "unfinished": [p.name for p in folder.path.rglob("*") if "checkpoints" in p.parts],
    }


def _timeless(content: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in content.items()
        if not name.endswith("seconds") and name not in ("time", "attempt")
    }


_SPEED = ("per_second", "seconds", "peak_share", "peak_memory_bytes")


def table(store: Path) -> str:
    found = Results(store).table()
    columns = [name for name in found.columns if not name.endswith(_SPEED)]
    return str(found[columns].to_json(orient="records"))


def check_readable(store: Path) -> None:
    """Whatever state a kill has left the store in, it can be looked at."""
    if not (store / "store.json").exists():
        return
    Results(store).table()
    Results(store).frame()
    for folder in Store(store).runs():
        if folder.status not in ("not started", "running", "interrupted", "completed", "crashed"):
            raise Finding(f"{folder.path} is {folder.status}")
        began = [line["attempt"] for line in folder.attempts() if line["event"] == "began"]
        if began != list(range(1, len(began) + 1)):
            raise Finding(f"{folder.path} has the attempts {began}")


def check_log(log: Path) -> None:
    """No run was brought to completion twice, and no two processes did one at the same time."""
    if not log.exists():
        return
    completed: Counter[str] = Counter()
    writers: dict[str, list[str]] = {}
    for line in log.read_text().splitlines():
        pid, _, number, *rest = line.split(" ", 5)
        if number == "ended" and rest[0] == "completed":
            completed[rest[-1]] += 1
        elif rest[-1].endswith("/events.jsonl"):
            pids = writers.setdefault(rest[-1], [pid])
            if pids[-1] != pid:
                pids.append(pid)
    twice = [path for path, times in completed.items() if times > 1]
    if twice:
        raise Finding(f"completed twice: {twice}")
    taking_turns = [path for path, pids in writers.items() if len(pids) != len(set(pids))]
    if taking_turns:
        raise Finding(f"two processes wrote at the same time: {taking_turns}")


# Scenarios


@dataclass
class Tally:
    """What was done, and what was found."""

    kills: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    litter: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


class Bench:
    """A place for stores, and the ways to run something in them."""

    def __init__(self, place: Path, seed: int, keep: bool) -> None:
        self.place = place
        self.random = random.Random(seed)
        self.keep = keep
        self.tally = Tally()
        self._numbers = count(1)
        self._expected: dict[Small, dict[str, Any]] = {}
        os.environ["GANBENCH_CACHE"] = str(place / "cache")
        os.environ["GANBENCH_DATA"] = str(place / "data")

    @contextmanager
    def case(self, what: str) -> Iterator[Path]:
        """A folder for one case; a finding in it is noted, and its folder kept."""
        folder = self.place / f"case-{next(self._numbers):05d}"
        folder.mkdir()
        try:
            yield folder
        except (Exception, subprocess.TimeoutExpired) as error:
            told = "".join(traceback.format_exception(error)[-2:])
            self.tally.findings.append(f"{what}, in {folder}: {told}")
            print(f"FINDING {self.tally.findings[-1]}", flush=True)
        else:
            if not self.keep:
                shutil.rmtree(folder, ignore_errors=True)

    def fault(self, folder: Path, **told: Any) -> dict[str, str]:
        """The variable of a fault; without one, boundaries are only logged."""
        plain = {"role": "any", "at": 0, "what": "kill", "spent": str(folder / "spent")}
        places = {"store": str(folder / "store"), "log": str(folder / "log")}
        return {faults.VARIABLE: json.dumps({**plain, **places, **told})}

    def start(self, study: Small, folder: Path, out: str = "out", *more: str, **told: Any) -> Fork:
        """`ganbench run` in a process of its own."""

        def command() -> None:
            sys.argv = study.command(folder / "store", *more)
            cli_main()

        with (folder / out).open("ab") as file:
            environment = {**os.environ, **self.fault(folder, **told)}
            return Fork(command, environment, file.fileno())

    def finish(self, study: Small, folder: Path) -> None:
        """Whatever state it is in, the next command has to bring the study to its end.

        A run that was killed twice failed twice in the same way, and has to be asked for.
        """
        code = self.start(study, folder, "finish").wait()
        if code == 3:
            code = self.start(study, folder, "finish", "--existing", "failed").wait()
        if code:
            raise Finding(f"exit code {code}: {(folder / 'finish').read_text()[-2000:]}")
        self.compare(study, folder)

    def compare(self, study: Small, folder: Path) -> None:
        """Refuse a store that is not what the undisturbed study left."""
        check_readable(folder / "store")
        for looked_at in check(folder / "store"):
            for found in looked_at.findings:
                self.tally.litter[_anonymous(str(found), folder)] += 1
        check_log(folder / "log")
        found, expected = left(folder / "store"), self.expected(study)
        if found != expected:
            raise Finding(_differences(expected, found))

    def undisturbed(self, study: Small) -> Path:
        return self.place / f"undisturbed-{study.steps}-{study.seeds}-{len(study.losses)}"

    def expected(self, study: Small) -> dict[str, Any]:
        """What the study leaves when nothing happens to it."""
        if study not in self._expected:
            folder = self.undisturbed(study)
            folder.mkdir()
            code = self.start(study, folder).wait()
            if code:
                raise Finding(f"undisturbed, exit code {code}: {(folder / 'out').read_text()}")
            check_log(folder / "log")
            self._expected[study] = left(folder / "store")
        return self._expected[study]


def _differences(expected: Any, found: Any, where: str = "") -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = [k for k in {**expected, **found} if expected.get(k) != found.get(k)]
        return "\n".join(
            _differences(expected.get(k), found.get(k), f"{where}/{k}") for k in keys[:4]
        )
    return f"{where}: {str(expected)[:600]} became {str(found)[:600]}"


def boundaries(log: Path, role: str) -> list[str]:
    """What the process of this role that had most of them did at each, in order."""
    by_pid: dict[str, list[str]] = {}
    for line in log.read_text().splitlines():
        pid, whose, number, *rest = line.split(" ", 4)
        if whose == role and number != "ended":
            by_pid.setdefault(pid, []).append(f"{rest[0]} {_kind(Path(rest[1]).name)}")
    return max(by_pid.values(), key=len)


def _kind(name: str) -> str:
    """A file's name without what is another each time."""
    name = re.sub(r"-[0-9a-f]{12}$", "", name)
    return re.sub(r"[0-9a-f]{64}|[0-9a-f]{16}-[0-9a-f]+|\d{8,10}", "N", name)


ONE = Small(40, 1, "nonsat+lecam:start=3")
PAIR = Small(40, 1)
FOUR = Small(300, 2)
LONG = Small(3000, 1, "nonsat+lecam:start=3")


def worker_boundaries(bench: Bench, share: float) -> None:
    """Kill a run's worker before, in and after each of its writes; its parent lives, or not."""
    for number, where, what in _strikes(bench, share, ("kill", "kill-after", "short")):
        survives = bool((number + len(what)) % 2)
        survivor = "parent lives" if survives else "parent dies"
        with bench.case(f"worker {what} at {number} ({where}), {survivor}") as folder:
            job = _planned(ONE, folder)
            ending = _work(job, bench.fault(folder, role="run", at=number, what=what))
            _expect(ending.exit_code, -signal.SIGKILL)
            bench.tally.kills[f"worker, {what}"] += 1
            bench.tally.struck[where] += 1
            check_readable(folder / "store")
            _finish_run(job, ending if survives else None, bench, folder)
            bench.compare(ONE, folder)


def worker_errors(bench: Bench, share: float) -> None:
    """Each of a worker's writes fails once, or fails and every other from there on."""
    errors = ("ENOSPC", "EIO", "EROFS")
    for number, where, what in _strikes(bench, share, (*errors, "full disk")):
        with bench.case(f"worker {what} at {number} ({where})") as folder:
            job = _planned(ONE, folder)
            told = {"role": "run", "at": number, "what": what}
            if what == "full disk":
                told |= {"what": "ENOSPC", "spent": ""}
            ending = _work(job, bench.fault(folder, **told))
            bench.tally.kills[f"worker, {what}"] += 1
            bench.tally.struck[where] += 1
            check_readable(folder / "store")
            log = (folder / "store" / "runs" / job.key / "log.txt").read_text()
            if ending.exit_code:
                last = (log.strip().splitlines() or [""])[-1]
                bench.tally.endings[f"worker's last line: {_anonymous(last, folder)}"] += 1
            _finish_run(job, ending, bench, folder)
            bench.compare(ONE, folder)


def _strikes(bench: Bench, share: float, ways: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """(number, what is done there, how it is struck), of this share of all."""
    with bench.case("a worker's boundaries") as folder:
        _work(_planned(ONE, folder), bench.fault(folder))
        found = boundaries(folder / "log", "run")
    print(f"{len(found)} boundaries in a worker's life", flush=True)
    everything = [
        (number, where, what)
        for number, where in enumerate(found, 1)
        for what in ways
        if what != "short" or where.startswith("write")
    ]
    kept = sorted(bench.random.sample(range(len(everything)), round(share * len(everything))))
    yield from (everything[place] for place in kept)


def _planned(study: Small, folder: Path) -> Job:
    """A store with a run that is planned."""
    store = folder / "store"
    request = Request(
        losses=study.losses, **DATA, protocol=f"{PROTOCOL}{study.steps}gsteps", seeds=study.seeds
    )
    setup = Setup(store, folder / "data", "cpu")
    (experiment,) = plan(request, setup, discover())
    Store(store, create=True).run(experiment.key).plan(experiment.recipe())
    return Job("run", experiment.key, str(store), str(folder / "data"), checkpoint_seconds=0.0)


def _work(job: Job, environment: Mapping[str, str]) -> Any:
    process = WorkerProcess(job, environment)
    deadline = time.monotonic() + LIMIT
    while (ending := process.ended()) is None:
        if time.monotonic() > deadline:
            process.kill()
            raise Finding("a worker does not end")
        time.sleep(0.005)
    return ending


def _finish_run(job: Job, ending: Any, bench: Bench, folder: Path) -> None:
    """As a study does: settle what its worker left, and try again; or begin as the next study."""
    store = Store(folder / "store")
    run = store.run(job.key)
    if ending is None:
        _next_command(job, bench, folder)
        return
    settling = Settling(run)
    deadline = time.monotonic() + LIMIT
    while (verdict := settling.settle(job, ending)).again is not None:
        waiting = Waiting([verdict.again], store)
        while (next_job := waiting.next()) is None and not waiting.done_elsewhere():
            if time.monotonic() > deadline:
                raise Finding(f"{run.path} can't be had: {verdict.why}")
            time.sleep(0.05)
        if next_job is None:
            return
        job = next_job
        ending = _work(job, bench.fault(folder))
    if not run.has_result:
        _next_command(job, bench, folder)


def _next_command(job: Job, bench: Bench, folder: Path) -> None:
    """What another `ganbench run` does with the run."""
    store = Store(folder / "store")
    run = store.run(job.key)
    run.tidy()
    outcome = run.outcome()
    if run.has_result:
        return
    waiting = Waiting([replace(job, supersedes=(outcome or {}).get("attempt", 0))], store)
    deadline = time.monotonic() + LIMIT
    while (next_job := waiting.next()) is None:
        if time.monotonic() > deadline:
            raise Finding(f"{run.path} can't be had")
        time.sleep(0.05)
    _expect(_work(next_job, bench.fault(folder)).exit_code, 0)


def _expect(found: int, *expected: int) -> None:
    if found not in expected:
        raise Finding(f"exit code {found}, and not {expected}")


def _anonymous(line: str, folder: Path) -> str:
    """A message without what is another each time."""
    line = re.sub(r"/[^ '\"]*/", "", line.replace(str(folder), ""))
    return re.sub(r"[0-9a-f]{12,64}|\d{8,10}", "N", line)


def parent_boundaries(bench: Bench, share: float) -> None:
    """Kill `ganbench run` before each of its own writes, or have it fail; and a timing worker."""
    bench.expected(PAIR)
    logs = bench.undisturbed(PAIR) / "log"
    strikes = [
        (role, number, where, what)
        for role in ("parent", "time")
        for number, where in enumerate(boundaries(logs, role), 1)
        for what in ("kill", "ENOSPC", "EIO", "full disk")
    ]
    kept = sorted(bench.random.sample(range(len(strikes)), round(share * len(strikes))))
    for role, number, where, what in (strikes[place] for place in kept):
        with bench.case(f"{role} {what} at {number} ({where})") as folder:
            told = {"role": role, "at": number, "what": what}
            if what == "full disk":  # for workers, too
                told |= {"role": "any", "what": "ENOSPC", "spent": ""}
            process = bench.start(PAIR, folder, **told)
            code = process.wait()
            bench.tally.kills[f"{role}, {what}"] += 1
            bench.tally.struck[where] += 1
            check_readable(folder / "store")
            out = (folder / "out").read_text()
            if what == "kill" and role == "parent" and (folder / "spent").exists():
                _expect(code, -signal.SIGKILL)
            elif what != "kill":
                _check_told(code, out)
                line = next((x for x in out.splitlines() if x.startswith("Error")), "(no message)")
                bench.tally.endings[f"{role}, exit {code}: {_anonymous(line, folder)}"] += 1
            bench.finish(PAIR, folder)


def _check_told(code: int, out: str) -> None:
    """A disk that fails is one message, or a row; never a traceback."""
    _expect(code, 0, 2, 3)
    if "Traceback" in out:
        raise Finding(f"a traceback:\n{out[-1500:]}")
    if code == 2 and "Error: " not in out:
        raise Finding(f"no message:\n{out[-1500:]}")


def random_kills(bench: Bench, kills: float) -> None:
    """Kill the command with all its workers, or it alone, or a worker, at random, over and over."""
    done = 0
    while done < kills:
        with bench.case(f"random kills, the store after {done}") as folder:
            for _ in range(bench.random.randrange(3, 9)):
                if done < kills:
                    done += _one_kill(bench, folder)
            bench.finish(FOUR, folder)


def _one_kill(bench: Bench, folder: Path) -> int:
    process = bench.start(FOUR, folder)
    time.sleep(bench.random.uniform(0.05, 3.0))
    way = bench.random.choice(("all", "parent", "worker"))
    workers = workers_of(process.pid)
    if way == "worker" and workers and process.poll() is None:
        os.kill(bench.random.choice(workers), signal.SIGKILL)
        _expect(process.wait(), 0, 3)
    elif process.poll() is None:
        process.kill()
        if way == "all":
            for pid in workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
        _check_gone(workers)
    else:
        _expect(process.returncode or 0, 0, 3)
        check_readable(folder / "store")
        return 0
    check_readable(folder / "store")
    bench.tally.kills[f"random, {way}"] += 1
    return 1


def workers_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = path.read_text()
            if int(text.rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def _check_gone(pids: Sequence[int], seconds: float = 5.0) -> None:
    """A worker looks every second whether its parent is there."""
    deadline = time.monotonic() + seconds
    while any(_is_there(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise Finding(f"workers {pids} outlive their parent by {seconds:g} s")
        time.sleep(0.02)


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def at_once(bench: Bench, kills: float) -> None:
    """Two or three commands on one store, undisturbed and with kills among them."""
    done = 0
    for commands in (2, 3):
        with bench.case(f"{commands} at once") as folder:
            _together(bench, folder, commands, 0)
    while done < round(kills):
        commands = bench.random.choice((2, 3))
        deaths = min(bench.random.randrange(1, 8), round(kills) - done)
        with bench.case(f"{commands} at once, {deaths} kills") as folder:
            _together(bench, folder, commands, deaths)
        done += deaths


def _together(bench: Bench, folder: Path, commands: int, deaths: int) -> None:
    running = {f"out-{n}": bench.start(FOUR, folder, f"out-{n}") for n in range(commands)}
    for _ in range(deaths):
        time.sleep(bench.random.uniform(0.05, 1.5))
        name = bench.random.choice(sorted(running))
        workers = workers_of(running[name].pid)
        if workers and bench.random.random() < 0.5:
            with suppress(ProcessLookupError):
                os.kill(bench.random.choice(workers), signal.SIGKILL)
            bench.tally.kills["at once, worker"] += 1
            continue
        running[name].kill()
        running[name].wait()
        bench.tally.kills["at once, parent"] += 1
        check_readable(folder / "store")
        (folder / name).unlink()
        running[name] = bench.start(FOUR, folder, name)
    codes = {name: process.wait() for name, process in running.items()}
    if not set(codes.values()) <= ({0, 3} if deaths else {0}):
        raise Finding(f"exit codes {codes}: {(folder / 'out-0').read_text()[-1500:]}")
    if not deaths:
        tables = {_printed(folder / name) for name in running}
        if len(tables) > 1:
            raise Finding("they print other tables:\n" + "\n".join(tables))
    bench.finish(FOUR, folder)


def _printed(path: Path) -> str:
    """The table, at the end of what a command prints."""
    return path.read_text().rpartition("\narchitecture ")[2].partition("\nresults in")[0]


def paused(bench: Bench, times: float) -> None:
    """A command that sleeps for longer than a lease lasts finds its run taken when it wakes."""
    usual, stores.LEASE_SECONDS = stores.LEASE_SECONDS, 1.5
    bench.expected(LONG)
    for number in range(int(times)):
        with bench.case(f"paused, {number}") as folder:
            sleeper = bench.start(LONG, folder, "out-0")
            (run,) = _wait_for(lambda: list((folder / "store").glob("runs/*/events.jsonl")))
            time.sleep(bench.random.uniform(0.0, 1.0))
            asleep = [sleeper.pid, *workers_of(sleeper.pid)]
            for pid in asleep:
                os.kill(pid, signal.SIGSTOP)
            other = bench.start(LONG, folder, "out-1")
            _wait_for(partial(_is_taken_over, RunFolder(run.parent)))
            time.sleep(bench.random.uniform(0.0, 1.0))
            for pid in asleep:
                os.kill(pid, signal.SIGCONT)
            bench.tally.kills["paused for longer than a lease"] += 1
            for process in (other, sleeper):
                _expect(process.wait(), 0)
            bench.compare(LONG, folder)
    stores.LEASE_SECONDS = usual


def _is_taken_over(run: RunFolder) -> bool:
    began = sum(line["event"] == "began" for line in run.attempts())
    return began > 1 or run.outcome() is not None


def _wait_for(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Finding("it does not come")
        time.sleep(0.01)
    return found


def signals(bench: Bench, times: float) -> None:
    """SIGINT and SIGTERM at random moments: exit code 130, workers gone, nothing lost."""
    done = 0
    while done < times:
        with bench.case(f"signals, the store after {done}") as folder:
            for _ in range(4):
                process = bench.start(FOUR, folder)
                time.sleep(bench.random.uniform(0.05, 3.0))
                if process.poll() is not None:
                    break
                number = bench.random.choice((signal.SIGINT, signal.SIGTERM))
                workers = workers_of(process.pid)
                process.send_signal(number)
                code = process.wait()
                if "Traceback" in (folder / "out").read_text():
                    raise Finding((folder / "out").read_text()[-2000:])
                if code != -signal.SIGTERM or workers:  # or it came before main() began
                    _expect(code, 130, 0)
                _check_gone(workers)
                check_readable(folder / "store")
                bench.tally.kills[f"{number.name} to the parent"] += 1
                done += 1
            bench.finish(FOUR, folder)


def real(bench: Bench, kills: float) -> None:
    """Commands and workers as a user starts them; two at once, killed at random moments."""
    with bench.case("real processes") as folder:
        path = [faults.site(folder / "site"), *os.environ.get("PYTHONPATH", "").split(":")]
        environment = {**os.environ, **bench.fault(folder), "PYTHONPATH": ":".join(path)}

        def start(name: str) -> Any:
            code = "from ganbench.cli import main; main()"
            with (folder / name).open("ab") as out:
                return subprocess.Popen(
                    [sys.executable, "-P", "-c", code, *FOUR.command(folder / "store")[1:]],
                    env=environment,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )

        running = {name: start(name) for name in ("out-0", "out-1")}
        for _ in range(int(kills)):
            time.sleep(bench.random.uniform(1.0, 9.0))
            name = bench.random.choice(sorted(running))
            workers = workers_of(running[name].pid)
            running[name].kill()
            running[name].wait()
            _check_gone(workers)
            check_readable(folder / "store")
            bench.tally.kills["real"] += 1
            running[name] = start(name)
        codes = [process.wait(300) for process in running.values()]
        if set(codes) != {0}:
            raise Finding(f"exit codes {codes}: {(folder / 'out-0').read_text()[-1500:]}")
        bench.compare(FOUR, folder)


# (what, how much of it in the short and in the long version): a share of all strikes, or kills
SCENARIOS: dict[str, tuple[Callable[[Bench, Any], None], float, float]] = {
    "worker-boundaries": (worker_boundaries, 0.03, 1.0),
    "worker-errors": (worker_errors, 0.01, 0.2),
    "parent-boundaries": (parent_boundaries, 0.02, 0.3),
    "random-kills": (random_kills, 2, 40),
    "at-once": (at_once, 2, 40),
    "paused": (paused, 1, 10),
    "signals": (signals, 2, 20),
    "real": (real, 0, 12),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a sample of each scenario")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(SCENARIOS), help="scenarios [all]")
    parser.add_argument("--amount", type=float, help="of each scenario, in place of the usual")
    parser.add_argument("--place", type=Path, help="where stores lie [a temporary folder]")
    parser.add_argument("--keep", action="store_true", help="keep sound stores, too")
    options = parser.parse_args()
    fork_workers()
    place = options.place or Path(tempfile.mkdtemp(prefix="ganbench-stress-"))
    place.mkdir(exist_ok=True)
    bench = Bench(place, options.seed, options.keep)
    started = time.monotonic()
    for name in options.only.split(","):
        scenario, short, long = SCENARIOS[name]
        before, then = sum(bench.tally.kills.values()), time.monotonic()
        amount = options.amount or (short if options.short else long)
        if amount:
            scenario(bench, amount)
        strikes = sum(bench.tally.kills.values()) - before
        print(f"{name}: {strikes} strikes in {time.monotonic() - then:.0f} s", flush=True)
    print(summary(bench.tally, time.monotonic() - started))
    if not bench.tally.findings and not options.keep and not options.place:
        shutil.rmtree(place)
    return 1 if bench.tally.findings else 0


def summary(tally: Tally, seconds: float) -> str:
    """The tally as markdown."""
    total, wrong = sum(tally.kills.values()), len(tally.findings)
    lines = [f"{total} strikes in {seconds / 60:.1f} minutes, {wrong} findings.", ""]
    for title, counter in (
        ("what", tally.kills),
        ("at which boundary", tally.struck),
        ("what was said", tally.endings),
        ("what `ganbench store check` found in the end", tally.litter),
    ):
        lines += [f"| {title} | times |", "|---|---|"]
        lines += [f"| {name} | {times} |" for name, times in sorted(counter.items())]
        lines.append("")
    return "\n".join([*lines, *(f"- {finding}" for finding in tally.findings)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
