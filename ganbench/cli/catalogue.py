"""`ganbench list`, `show` and `plugins`: what there is, and who brought it."""

import click

from ganbench.catalogue import KINDS, Catalogue, Component, code_of
from ganbench.cli.options import plugin_options
from ganbench.cli.output import echo
from ganbench.errors import unknown
from ganbench.plugins import discover
from ganbench.printable import printable


@click.command("list")
@click.argument("kind", required=False, metavar="[KIND]")
@plugin_options
def list_command(kind: str | None, block: tuple[str, ...], plugin_file: tuple[str, ...]) -> None:
    """List what there is: losses, recipes (objectives of several parts), penalties,
    architectures, schedules, datasets, metrics, extractors, protocols.

    \b
    Examples:
      ganbench list
      ganbench list losses
    """
    catalogue = discover(block, plugin_file)
    _warn_of_broken(catalogue)
    for plural, lines in _listing(catalogue, kind):
        echo(f"{plural}:")
        width = max((len(name) for name, _ in lines), default=0)
        for name, text in lines:
            echo(f"  {name:{width}}  {text}")


def _listing(catalogue: Catalogue, kind: str | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each kind that was asked for, with a name and a line for each of its members."""
    everything = [(k.plural, [(c.name, _line(c)) for c in catalogue.of_kind(k)]) for k in KINDS]
    recipes = [(r.name, f"= {r.spec}  [{r.origin.distribution}]") for r in catalogue.recipes]
    everything.insert(1, ("recipes", recipes))
    if kind is None:
        return everything
    found = [(plural, lines) for plural, lines in everything if kind in _spellings(plural)]
    if not found:
        raise unknown("kind", kind, {plural.replace(" ", "") for plural, _ in everything})
    return found


def _line(component: Component) -> str:
    reference = f"  {component.reference}" if component.reference else ""
    return printable(f"{component.summary}{reference}  [{component.origin.distribution}]")


def _spellings(plural: str) -> set[str]:
    singular = {kind.plural: kind.name for kind in KINDS}.get(plural, "recipe")
    return {text for name in (plural, singular) for text in (name, name.replace(" ", ""))}


@click.command("show")
@click.argument("name")
@plugin_options
def show_command(name: str, block: tuple[str, ...], plugin_file: tuple[str, ...]) -> None:
    """Show a component, or the parts of a recipe: formula, fields, references and origin.

    \b
    Examples:
      ganbench show minimax
      ganbench show wgan-gp
    """
    from ganbench.experiment import choose_objective
    from ganbench.specs import Spec

    catalogue = discover(block, plugin_file)
    everything = [c for kind in KINDS for c in catalogue.of_kind(kind)]
    found = [component for component in everything if component.name == name]
    recipe = catalogue.recipe(name)
    if recipe:
        echo(f"recipe {name} = {recipe.spec}\n\nOrigin: plugin {recipe.origin}")
        found += [part.component for part in choose_objective(catalogue, (Spec(name),)).parts]
    if not found:
        hint = "See them with `ganbench list`."
        known = {c.name for c in everything} | {r.name for r in catalogue.recipes}
        raise unknown("component", name, known, hint)
    for place, component in enumerate(dict.fromkeys(found)):
        if place or recipe:
            echo()
        _show(component)


def _show(component: Component) -> None:
    from ganbench.choices import fields_of

    echo(f"{component.kind.name} {component.name}\n")
    echo(component.docstring.strip() or "(its class has no docstring)")
    with code_of(component):
        fields = fields_of(component.cls).values()
        recommended = component.recommended
    echo("\nFields:" if fields else "\nFields: none")
    for field in fields:
        echo(f"  {field}")
    if recommended:
        echo("\nWith --rules recommended:")
        for name, value in recommended.items():
            echo(f"  {name}: {value}")
    echo(f"\nOrigin: plugin {component.origin}, {_maths(component)}")


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
        named = f"{origin.plugin}  {origin.distribution} {origin.version}  {plugin.status}"
        echo(printable(named))
        for kind in KINDS:
            names = [c.name for c in plugin.components if c.kind is kind]
            if names:
                echo(f"  {kind.plural}: {', '.join(names)}")
        if plugin.recipes:
            echo(f"  recipes: {', '.join(recipe.name for recipe in plugin.recipes)}")
        if plugin.error:
            echo(f"  {plugin.traceback.rstrip()}".replace("\n", "\n  "))


def _warn_of_broken(catalogue: Catalogue) -> None:
    for plugin in catalogue.broken:
        echo(f"plugin {plugin.origin} is broken and left out: {plugin.error}", err=True)
