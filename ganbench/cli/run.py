"""`ganbench run`."""

from pathlib import Path

import click

from ganbench.cli.options import data_folder_option, duration, plugin_options, size, store_option


@click.command("run")
@click.option(
    "--losses",
    required=True,
    multiple=True,
    help="Losses or recipes, with penalties behind a `+`; `all` is all of them.",
)
@click.option("--datasets", multiple=True, help="Data sets [the protocol's; digits].")
@click.option("--schedules", multiple=True, help="Who moves when [the protocol's; k-step].")
@click.option("--k", "ks", metavar="K[,K]", help="Short for --schedules k-step:k=K[,...].")
@click.option("--architectures", multiple=True, help="Networks [what suits data and loss].")
@click.option("--metrics", multiple=True, help="Scores, the headline first [what suits the data].")
@click.option("--extractors", multiple=True, help="What sees features [what suits the data].")
@click.option("--protocol", default="quick", show_default=True, help="What stays fixed.")
@click.option(
    "--rules",
    type=click.Choice(["fixed", "recommended"]),
    default="fixed",
    show_default=True,
    help="One optimizer for all, or what each loss and penalty declares for itself.",
)
@click.option(
    "--budget", default="", help="Length: 200kimg, 2000gsteps, 5000dsteps, 1e15flop, 60s."
)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="From 0 on.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:1.")
@click.option("--jobs", type=click.IntRange(1), help="Runs at once [one per core, or per GPU].")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Per run.")
@click.option("--download", is_flag=True, help="Fetch data sets that are not there.")
@click.option(
    "--timeout",
    callback=duration,
    metavar="TIME",
    help="End a run that takes longer: 90s, 30m, 12h [never].",
)
@click.option(
    "--memory",
    callback=size,
    metavar="SIZE",
    help="What a run may allocate, on a GPU of its memory: 800MiB, 4GiB [all there is].",
)
@click.option(
    "--checkpoint-every",
    callback=duration,
    metavar="TIME",
    help="Between checkpoints, such as 5m [30s, or longer where they are dear].",
)
@click.option(
    "--existing",
    type=click.Choice(["reuse", "failed", "rerun"]),
    default="reuse",
    show_default=True,
    help="Of finished runs: do again what failed, but not twice in the same way; all that"
    " failed; or everything, from its start.",
)
@click.option(
    "--on-failure",
    type=click.Choice(["continue", "stop"]),
    default="continue",
    show_default=True,
    help="Whether the other runs go on when one fails.",
)
@click.option("--deterministic", is_flag=True, help="The same bits each time on a GPU; slower.")
@click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Processes on this machine, or a Ray cluster (pip install 'ganbench[ray]').",
)
@click.option(
    "--ray-address", default="", help="Of a running cluster: auto, or HOST:PORT [one of its own]."
)
@click.option("--dry-run", is_flag=True, help="Check everything, show the plan, and stop.")
@store_option
@data_folder_option
@plugin_options
def run_command(
    losses: tuple[str, ...],
    datasets: tuple[str, ...],
    schedules: tuple[str, ...],
    ks: str | None,
    architectures: tuple[str, ...],
    metrics: tuple[str, ...],
    extractors: tuple[str, ...],
    protocol: str,
    rules: str,
    budget: str,
    seeds: int,
    device: str,
    jobs: int | None,
    threads: int,
    download: bool,
    timeout: float | None,
    memory: float | None,
    checkpoint_every: float | None,
    existing: str,
    on_failure: str,
    deterministic: bool,
    executor: str,
    ray_address: str,
    dry_run: bool,
    store: Path,
    data_folder: Path | None,
    block: tuple[str, ...],
    plugin_file: tuple[str, ...],
) -> int:
    """Train every loss on every data set with every schedule and seed; print one table.

    Runs that are finished in the store are reused; those that were interrupted go on from their
    last checkpoint. Ctrl-C keeps what is done. Exit code 3 if a run failed, by more than
    diverging; the others are done all the same.

    \b
    Examples:
      ganbench run --losses minimax,nonsat
      ganbench run --losses nonsat --datasets ring,grid --k 1,5 --seeds 5
      ganbench run --losses wgan,wgan-gp,r3gan --datasets ring --rules recommended
      ganbench run --losses nonsat --protocol quick:batch_size=32 --budget 50kimg
      ganbench run --losses mine,nonsat --plugin-file my_loss.py --timeout 30m --memory 4GiB
    """
    from ganbench.cli.progress import watching
    from ganbench.executors.job import PluginChoice
    from ganbench.interface import with_budget
    from ganbench.planning import plan
    from ganbench.request import Request, Setup, default_data_folder
    from ganbench.results import Results
    from ganbench.store import FAILURES, Store
    from ganbench.study import Study
    from ganbench.tables import FORMATS

    plugins = PluginChoice(block, plugin_file)
    folder = data_folder or default_data_folder()
    setup = Setup(
        store=store,
        data_folder=folder,
        device=device,
        jobs=jobs or 0,
        threads=threads,
        plugins=plugins,
        executor=executor,
        address=ray_address,
        timeout_seconds=timeout or 0.0,
        memory_bytes=int(memory or 0),
        checkpoint_seconds=-1.0 if checkpoint_every is None else checkpoint_every,
        deterministic=deterministic,
        existing=existing,
        on_failure=on_failure,
    )
    if ks is not None and schedules:
        raise click.UsageError("--k is short for --schedules; give one of them.")
    if ks is not None:
        schedules = tuple(f"k-step:k={k}" for k in ks.split(","))
    request = Request(
        losses=",".join(losses),
        datasets=",".join(datasets),
        schedules=",".join(schedules),
        architectures=",".join(architectures),
        metrics=",".join(metrics),
        extractors=",".join(extractors),
        protocol=with_budget(protocol, budget),
        rules=rules,
        seeds=seeds,
        download=download,
    )
    catalogue = plugins.discover()
    for plugin in catalogue.broken:
        click.echo(f"plugin {plugin.origin} is broken and left out: {plugin.error}", err=True)
    Store.check(store)
    experiments = plan(request, setup, catalogue)
    with watching() as observer:
        if dry_run:
            observer.planned(experiments, 0, setup, setup.at_once)
            return 0
        study = Study(experiments, setup)
        try:
            study.execute(observer)
        except KeyboardInterrupt:
            observer.interrupted(Results(store, study.keys))
            return 130
    results = Results(store, study.keys)
    click.echo(FORMATS["text"](results.table()))
    observer.farewell(results)
    return 3 if any(folder.status in FAILURES for folder in results.folders) else 0
