"""`ganbench store`: look after a results folder."""

import sys
from collections import Counter
from pathlib import Path
from shlex import quote

import click

from ganbench.cli.output import echo

_path = click.argument("path", type=click.Path(path_type=Path), default="results", metavar="[PATH]")


@click.group("store")
def store_group() -> None:
    """Check, mend, tabulate or tidy a results folder.

    PATH is its folder; `results` where it is left out.

    \b
    Examples:
      ganbench store check
      ganbench store repair --dry-run
      ganbench store collect elsewhere
      ganbench store gc --failed
    """


@store_group.command("check")
@_path
def check_command(path: Path) -> int:
    """Read everything in a store and say what is damaged; nothing is written.

    A run that somebody is doing is not looked into. Exits with 1 if something is lost, or would
    be with time, and with 2 if PATH is no store.

    \b
    Examples:
      ganbench store check
      ganbench store check elsewhere
    """
    from ganbench.upkeep.check import check

    statuses: Counter[str] = Counter()
    found = losses = 0
    for checked in check(path):
        statuses[checked.status] += 1
        for finding in checked.findings:
            found, losses = found + 1, losses + finding.loses
            echo(str(finding))
    echo(_told(statuses))
    if found:
        echo(f"found: {found}, of which {losses} lose something")
        echo(f"mend what can be mended with: ganbench store repair {quote(str(path))}")
    return 1 if losses else 0


def _told(statuses: Counter[str]) -> str:
    """How many runs there are of each status; an empty one is that of no run."""
    runs = {status: count for status, count in sorted(statuses.items()) if status}
    each = [f"{count} {status.replace('_', ' ')}" for status, count in runs.items()]
    return f"runs: {sum(runs.values())}" + (f" ({', '.join(each)})" if each else "")


@store_group.command("repair")
@_path
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def repair_command(path: Path, dry_run: bool) -> int:
    """Finish or undo what was cut short, and set aside what is damaged.

    Nothing that could be of use is deleted: it is renamed to NAME.damaged-N beside its place, and
    a run without a recipe that can be read moves to the store's `damaged`. `ganbench run` then
    goes on with what is unfinished. Runs that somebody is doing are left. Exits with 1 if
    something is left that loses something.

    \b
    Examples:
      ganbench store repair --dry-run
      ganbench store repair elsewhere
    """
    from ganbench.upkeep.repair import repair

    mended = left = 0
    for repaired in repair(path, dry_run=dry_run):
        mended += not repaired.left
        left += bool(repaired.left and repaired.finding.loses)
        echo(str(repaired.finding) if dry_run else str(repaired))
    echo(f"{'to be mended' if dry_run else 'mended'}: {mended}")
    return 1 if left else 0


@store_group.command("collect")
@_path
def collect_command(path: Path) -> None:
    """Write the tables of a store to files in its folder `tables`, anew.

    `table` has a row per cell, `runs` one per run, and `frame` one per run, step and metric.

    \b
    Examples:
      ganbench store collect
      ganbench store collect elsewhere
    """
    from ganbench.results import Results
    from ganbench.upkeep.collect import collect, without_result

    results = Results(path)
    for file in collect(results):
        echo(f"wrote {file}")
    for _, run in without_result(results).iterrows():
        name = f"{run['run'][:12]} {run['loss']} on {run['dataset']}, seed {run['seed']}"
        error = f": {run['error']}" if run["error"] else ""
        echo(f"no result of {name}: {run['outcome'].replace('_', ' ')}{error}")


@store_group.command("gc")
@_path
@click.option(
    "--failed",
    is_flag=True,
    help="Of runs without a result, all checkpoints but the last sound one too.",
)
@click.option("--damaged", is_flag=True, help="What `repair` set aside too.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def gc_command(path: Path, failed: bool, damaged: bool, yes: bool) -> None:
    """Remove what no run, table or resumption needs any more.

    These are checkpoints of runs that have a result, and files whose writing was cut short. What
    would go is shown first. Runs that somebody is doing are left.

    \b
    Examples:
      ganbench store gc
      ganbench store gc elsewhere --failed --damaged --yes
    """
    from ganbench.upkeep.removable import Wanted
    from ganbench.upkeep.removal import remove, survey, totals

    wanted = Wanted(failed, damaged)
    found = survey(path, wanted)
    if not found:
        echo("nothing to remove")
        return
    items = [item for each in found for item in each.items]
    for kind, (count, size) in totals(items).items():
        echo(f"{kind}: {count} files, {size / 2**20:.1f} MiB")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask: give --yes to remove this.")
    if not yes and not click.confirm("Remove them?"):
        return
    for left in remove(found, wanted):
        echo(f"{left}: left, as somebody is doing it")
    echo("removed")
