"""`ganbench list`, `show` and `plugins`: what there is, and who brought it."""

import click

from ganbench.cli.options import plugin_options
from ganbench.errors import unknown
from ganbench.plugins import KINDS, Catalogue, Component, Kind, code_of, discover


@click.command("list")
@click.argument("kind", required=False, metavar="[KIND]")
@plugin_options
def list_command(kind: str | None, block: tuple[str, ...], plugin_file: tuple[str, ...]) -> None:
    """List components by kind: losses, penalties, architectures, schedules, datasets, metrics.

    \b
    Examples:
      ganbench list
      ganbench list losses
    """
    chosen = KINDS if kind is None else (_kind(kind),)
    catalogue = discover(block, plugin_file)
    _warn_of_broken(catalogue)
    for each in chosen:
        click.echo(f"{each.plural}:")
        components = catalogue.of_kind(each)
        width = max((len(c.name) for c in components), default=0)
        for component in components:
            origin = component.origin.distribution
            click.echo(f"  {component.name:{width}}  {component.summary}  [{origin}]")


@click.command("show")
@click.argument("name")
@plugin_options
def show_command(name: str, block: tuple[str, ...], plugin_file: tuple[str, ...]) -> None:
    """Show a component: its formula, fields with defaults, reference and origin.

    \b
    Examples:
      ganbench show minimax
      ganbench show k-step
    """
    catalogue = discover(block, plugin_file)
    everything = [c for kind in KINDS for c in catalogue.of_kind(kind)]
    found = [component for component in everything if component.name == name]
    if not found:
        hint = "See them with `ganbench list`."
        raise unknown("component", name, {c.name for c in everything}, hint)
    for component in found:
        _show(component)


def _show(component: Component) -> None:
    from ganbench.choices import fields_of

    click.echo(f"{component.kind.name} {component.name}\n")
    click.echo(component.docstring.strip() or "(its class has no docstring)")
    with code_of(component):
        fields = fields_of(component.cls).values()
    click.echo("\nFields:" if fields else "\nFields: none")
    for field in fields:
        click.echo(f"  {field}")
    click.echo(f"\nOrigin: plugin {component.origin}, {_maths(component)}")


def _maths(component: Component) -> str:
    version = getattr(component.cls, "version", None)
    return "its class has no version" if version is None else f"version {version} of the maths"


@click.command("plugins")
@plugin_options
def plugins_command(block: tuple[str, ...], plugin_file: tuple[str, ...]) -> None:
    """List the plugins, whether they work, and what each adds.

    \b
    Examples:
      ganbench plugins
      ganbench plugins -p no:bundled-losses
    """
    for plugin in discover(block, plugin_file).plugins:
        origin = plugin.origin
        click.echo(f"{origin.plugin}  {origin.distribution} {origin.version}  {plugin.status}")
        for kind in KINDS:
            names = [c.name for c in plugin.components if c.kind is kind]
            if names:
                click.echo(f"  {kind.plural}: {', '.join(names)}")
        if plugin.error:
            click.echo(f"  {plugin.traceback.rstrip()}".replace("\n", "\n  "))


def _kind(text: str) -> Kind:
    spellings = {
        spelling: kind
        for kind in KINDS
        for name in (kind.name, kind.plural)
        for spelling in (name, name.replace(" ", ""))
    }
    if text not in spellings:
        raise unknown("kind", text, {kind.plural.replace(" ", "") for kind in KINDS})
    return spellings[text]


def _warn_of_broken(catalogue: Catalogue) -> None:
    for plugin in catalogue.broken:
        click.echo(f"plugin {plugin.origin} is broken and left out: {plugin.error}", err=True)
