"""`vocemo recipes`: what can be trained."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from vocemo.lab import recipe as recipes
from vocemo.lab import settings, sheet

_PIPED_WIDTH = 120  # characters

app = typer.Typer(
    name="recipes",
    help="What can be trained: list the recipes, or show one with its layers and parameter counts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_recipes() -> None:
    """List the recipes with a line on each.

    Example:

        vocemo recipes list
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("recipe", no_wrap=True)
    table.add_column("parameters", justify="right")
    table.add_column("what it is")
    for name in recipes.names():
        kept = sheet.read(name)
        table.add_row(name, f"{kept.trainable + kept.not_trainable:,}", recipes.load(name).summary)
    Console().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A recipe's name, as `vocemo recipes list` prints it.")],
    options: Annotated[
        bool, typer.Option("--options", help="Every key that --set takes, with its value and what it may be.")
    ] = False,
) -> None:
    """Show a recipe: its settings, its layers, its parameters (trainable and not).

    Examples:

        vocemo recipes show dual-channel-cnn

        vocemo recipes show dual-channel-cnn --options
    """
    if options:
        _show_settings(name)
        return
    text = recipes.source_text(name)
    typer.echo(text.rstrip())
    if name.endswith(".toml"):
        return
    kept = sheet.read(name)
    seconds = recipes.load(name).preparation.length_s or sheet.EXAMPLE_S
    table = Table(box=box.SIMPLE_HEAD, title=f"Layers, for one clip of {seconds:g} s", title_justify="left")
    table.add_column("layer", no_wrap=True)
    table.add_column("kind", overflow="fold")
    table.add_column("output shape")
    table.add_column("parameters", justify="right")
    for layer in kept.layers:
        table.add_row(
            layer.name,
            layer.kind,
            " x ".join(map(str, layer.output)),
            f"{layer.parameters:,}" if layer.parameters else "",
        )
    # A terminal has the width that it has; a file or a pipe has room for the longest names.
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
    typer.echo(f"Parameters: {kept.trainable + kept.not_trainable:,}")
    typer.echo(f"  trainable: {kept.trainable:,}")
    if kept.frozen:
        typer.echo(f"  frozen: {kept.frozen:,}")
    moving = kept.not_trainable - kept.frozen
    typer.echo(f"  not trainable (batch normalisation's moving statistics): {moving:,}")
    typer.echo(f"Every key that --set takes: vocemo recipes show {name} --options")


def _show_settings(name: str) -> None:
    width = min(shutil.get_terminal_size().columns, 110)
    section = ""
    for setting in settings.settings(recipes.load(name)):
        if setting.key.partition(".")[0] != section and "." in setting.key:
            section = setting.key.partition(".")[0]
            typer.echo("")
        typer.echo(f"{setting.key} = {setting.value}" if setting.value else f"{setting.key} (not given)")
        told = "; ".join(text for text in (setting.takes, setting.meaning) if text)
        if told:
            typer.echo(textwrap.fill(told, width, initial_indent="    ", subsequent_indent="    "))
