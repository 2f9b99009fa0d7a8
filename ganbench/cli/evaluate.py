"""`ganbench evaluate`."""

from pathlib import Path

import click

from ganbench.cli.options import FORMATS, data_folder_option, plugin_options, store_option
from ganbench.cli.output import echo


@click.command("evaluate")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--fake", help="Generated images: a folder, a zip, or a data set.")
@click.option("--real", help="What they are compared with: a folder, a zip, or a data set.")
@click.option("--metrics", multiple=True, help="Scores [what suits the real data].")
@click.option("--extractors", multiple=True, help="What sees features [what suits the real data].")
@click.option("--samples", type=click.IntRange(2), help="Fakes of a RUN [its protocol's].")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:1.")
@click.option("--threads", type=click.IntRange(1), help="On a CPU [all cores].")
@click.option("--download", is_flag=True, help="Fetch data sets that are not there.")
@store_option
@data_folder_option
@plugin_options
def evaluate_command(
    runs: tuple[str, ...],
    fake: str | None,
    real: str | None,
    metrics: tuple[str, ...],
    extractors: tuple[str, ...],
    samples: int | None,
    form: str,
    device: str,
    threads: int | None,
    download: bool,
    store: Path,
    data_folder: Path | None,
    block: tuple[str, ...],
    plugin_file: tuple[str, ...],
) -> None:
    """Score two sets of images, or stored runs again with other settings.

    Where a data set and a folder have one name, it is the data set's: write ./NAME for the folder.

    A RUN is the first digits of its key: the name of its folder in the store. Its metrics are
    scored on each of its own extractors unless --extractors are given. `noise` is the standard
    error of a value over other draws of as many fakes.

    \b
    Examples:
      ganbench evaluate --fake samples/ --real cifar10 --metrics fid,kid
      ganbench evaluate --fake samples.zip --real photos/ --metrics kid
      ganbench evaluate 3fa9 --metrics kid,precision-recall --samples 10000
    """
    from ganbench.acceleration import cpu_count
    from ganbench.executors.job import PluginChoice
    from ganbench.request import Setup, default_data_folder
    from ganbench.rescoring import Wanted, score_runs, score_sets
    from ganbench.tables import scores_as

    if bool(runs) == bool(fake or real) or (not runs and not (fake and real)):
        raise click.UsageError("Give stored runs, or --fake and --real.")
    if samples and not runs:
        raise click.UsageError("--samples is for runs: of --fake, all images are scored.")
    plugins = PluginChoice(block, plugin_file)
    catalogue = plugins.discover()
    folder = data_folder or default_data_folder()
    setup = Setup(store, folder, device, threads=threads or cpu_count(), plugins=plugins)
    wanted = Wanted(",".join(metrics), ",".join(extractors), download)
    if fake and real:
        reports = iter([score_sets(fake, real, wanted, setup, catalogue)])
    else:
        reports = score_runs(runs, samples or 0, wanted, setup, catalogue)
    for text in scores_as(form, ((report.caption, report.scores) for report in reports)):
        echo(text)
