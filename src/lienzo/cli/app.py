"""All commands under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from lienzo import __version__
from lienzo.cli import adapt, compare, data, demo, edit, evaluate, export, generate, models, reproduce, train

app = typer.Typer(
    name="lienzo",
    help="Generative models of images: draw pictures from words, learn your own pictures, look at both critically.",
    epilog="Begin with `lienzo demo`, or with `lienzo generate 'a red apple' --preview`; then `lienzo train ./photos`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)
app.command("generate")(generate.generate)
app.command("edit")(edit.edit)
app.command("reproduce")(reproduce.reproduce)
app.command("train")(train.train)
app.command("adapt")(adapt.adapt)
app.command("demo")(demo.demo)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("export")(export.export)
app.command("models")(models.models)
app.command("families")(models.families)
app.add_typer(data.app, name="data")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lienzo {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Generative models of images: draw pictures from words, learn your own pictures, look at both critically."""
