"""ganbench from Python: the same as the command line, with results as pandas frames."""

import warnings
from collections.abc import Iterable
from pathlib import Path

from ganbench.acceleration import cpu_count
from ganbench.errors import BadInput
from ganbench.executors.job import PluginChoice
from ganbench.planning import plan
from ganbench.request import Request, Setup, default_data_folder
from ganbench.rescoring import Report, Wanted, score_runs, score_sets
from ganbench.results import Results
from ganbench.specs import Spec, parse_one
from ganbench.study import Observer, Study


def run(
    losses: str | Iterable[str],
    dataset: str | Iterable[str] = "",
    *,
    seeds: int = 3,
    schedules: str | Iterable[str] = "",
    architectures: str | Iterable[str] = "",
    metrics: str | Iterable[str] = "",
    extractors: str | Iterable[str] = "",
    protocol: str = "quick",
    rules: str = "fixed",
    budget: str = "",
    store: str | Path = "results",
    data_folder: str | Path | None = None,
    device: str = "auto",
    jobs: int = 0,
    threads: int = 1,
    executor: str = "local",
    ray_address: str = "",
    timeout_seconds: float = 0.0,
    memory_bytes: int = 0,
    checkpoint_seconds: float = -1.0,
    deterministic: bool = False,
    existing: str = "reuse",
    on_failure: str = "continue",
    download: bool = False,
    plugins: PluginChoice | None = None,
    observer: Observer | None = None,
) -> Results:
    """Train every loss on every data set with every schedule and seed; return these runs.

    Specs are those of the command line, one or several: `["minimax", "nonsat+gp:weight=1"]`.
    What is finished already in `store` is reused.

    Args:
        seeds: how many, from 0 on.
        dataset: empty for the protocol's own (`digits` for `quick`); so for `schedules`.
        architectures: empty for what suits protocol, data set and loss; so for `metrics` and
            `extractors`.
        rules: `fixed`, or `recommended` for each objective's own learning rates and schedule.
        budget: in place of the protocol's, such as `20kimg`.
        jobs: processes at once; 0 is one per core on a CPU, one per GPU.
        threads: of each process on a CPU.
        executor: `local` processes, or a `ray` cluster at `ray_address`.
        timeout_seconds: after which a run is ended; 0 for never.
        memory_bytes: that a run may allocate; 0 for no limit.
        checkpoint_seconds: between checkpoints; negative for as often as costs next to nothing.
        deterministic: the same bits each time on a GPU, too.
        existing: `reuse` does again what failed, but not what failed twice in the same way;
            `failed` does all again that failed, and `rerun` everything.
        on_failure: `continue` with the other runs, or `stop`.

    Raises:
        GanbenchError: something asked for does not exist, does not fit, or is not prepared.
    """
    plugins = plugins or PluginChoice()
    folder = Path(data_folder) if data_folder else default_data_folder()
    setup = Setup(
        store=Path(store),
        data_folder=folder,
        device=device,
        jobs=jobs,
        threads=threads,
        plugins=plugins,
        executor=executor,
        address=ray_address,
        timeout_seconds=timeout_seconds,
        memory_bytes=memory_bytes,
        checkpoint_seconds=checkpoint_seconds,
        deterministic=deterministic,
        existing=existing,
        on_failure=on_failure,
    )
    request = Request(
        losses=_joined(losses),
        datasets=_joined(dataset),
        schedules=_joined(schedules),
        architectures=_joined(architectures),
        metrics=_joined(metrics),
        extractors=_joined(extractors),
        protocol=with_budget(protocol, budget),
        rules=rules,
        seeds=seeds,
        download=download,
    )
    catalogue = plugins.discover()
    for plugin in catalogue.broken:
        warnings.warn(f"plugin {plugin.origin} is left out: {plugin.error}", stacklevel=2)
    study = Study(plan(request, setup, catalogue), setup)
    study.execute(observer or Observer())
    return Results(store, study.keys)


def evaluate(
    run: str = "",
    *,
    fake: str | Path = "",
    real: str | Path = "",
    metrics: str | Iterable[str] = "",
    extractors: str | Iterable[str] = "",
    samples: int = 0,
    store: str | Path = "results",
    data_folder: str | Path | None = None,
    device: str = "auto",
    threads: int = 0,
    download: bool = False,
    plugins: PluginChoice | None = None,
) -> Report:
    """Score two sets of images, or a stored run again with other settings.

    Args:
        run: the first digits of its key; empty to score `fake` against `real`.
        fake: a folder, a zip, or the spec of a data set, which goes before a folder of that name;
            so is `real`.
        metrics: empty for what suits the real data; so for `extractors`.
        samples: fakes of a run; 0 for as many as its protocol has.
        threads: on a CPU; 0 for all cores.

    Raises:
        GanbenchError: something asked for does not exist, does not fit, or is not prepared.
    """
    if bool(run) == bool(fake or real) or (not run and not (fake and real)):
        raise BadInput("give a stored run, or both `fake` and `real`")
    plugins = plugins or PluginChoice()
    folder = Path(data_folder) if data_folder else default_data_folder()
    setup = Setup(Path(store), folder, device, threads=threads or cpu_count(), plugins=plugins)
    wanted = Wanted(_joined(metrics), _joined(extractors), download)
    if run:
        (report,) = score_runs([run], samples, wanted, setup, plugins.discover())
        return report
    return score_sets(str(fake), str(real), wanted, setup, plugins.discover())


def with_budget(protocol: str, budget: str) -> str:
    """The protocol's spec with another budget, if there is one."""
    if not budget:
        return protocol
    spec = parse_one(protocol)
    return str(Spec(spec.name, tuple({**dict(spec.fields), "budget": budget}.items())))


def _joined(specs: str | Iterable[str]) -> str:
    return specs if isinstance(specs, str) else ",".join(specs)
