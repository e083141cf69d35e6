"""`lienzo train`: learn a source of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer


def train(
    source: Annotated[
        Optional[str],  # noqa: UP045  (typer reads it at run time)
        typer.Argument(help="A folder of pictures, a .parquet file, tars, hub:NAME, or a built-in set such as emoji. "
                       "Left out: go on with the run in --out."),
    ] = None,
    budget: Annotated[
        Optional[str], typer.Option(help="How long it may take: 30m, 1h30m, 45s. Size, width and schedule are chosen "  # noqa: UP045
                                    "so that the run is complete by then.")
    ] = None,
    out: Annotated[
        Optional[Path], typer.Option(help="The run's folder. [default: runs/NAME OF THE SOURCE]", show_default=False)  # noqa: UP045
    ] = None,
    recipe: Annotated[Optional[Path], typer.Option(help="A recipe, see recipes/quickstart.toml.")] = None,  # noqa: UP045
    family: Annotated[Optional[str], typer.Option(help="The family, see `lienzo families`.")] = None,  # noqa: UP045
    size: Annotated[Optional[int], typer.Option(help="Side of the pictures in pixels.")] = None,  # noqa: UP045
    start: Annotated[
        Optional[str], typer.Option("--from", metavar="MODEL", help="Start from a model's weights (a name of `lienzo "  # noqa: UP045
                                    "models`, or a run's folder), or from 'scratch'. Default: what fits best.")
    ] = None,
    settings: Annotated[
        Optional[list[str]], typer.Option("--set", metavar="NAME=VALUE", help="Any value of the recipe, e.g. "  # noqa: UP045
                                          "training.learning_rate=3e-4. May be repeated.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh/--resume", help="Demand a folder without a run, or go on with it.")] =
    False,
    samples_every: Annotated[
        Optional[str], typer.Option(help="How often a sheet of samples is drawn, e.g. 5m.")  # noqa: UP045
    ] = None,
    validation_every: Annotated[
        Optional[str], typer.Option(help="How often the loss on held-out pictures is measured, e.g. 5m.")  # noqa: UP045
    ] = None,
    threads: Annotated[Optional[int], typer.Option(help="Threads of a CPU.")] = None,  # noqa: UP045
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard events too.")] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Show the recipe that would be run, and leave.")] = False,
) -> None:  # fmt: skip
    """Train a model on pictures.

    Captions beside the pictures (metadata.csv, .jsonl) and subfolders' names become what you may say to the model.
    Ctrl-C saves; the same command goes on.

    [bold]Examples[/]

      lienzo train ./photos --budget 30m

      lienzo train emoji --recipe recipes/emoji-64.toml --out runs/emoji-64

      lienzo train ./photos --budget 10m --set training.batch_size=32 --set data.flip=0.5

      lienzo train --out runs/photos     (goes on where it stood)
    """
    values: dict[str, Any] = {}
    training: dict[str, Any] = {"threads": threads} if threads is not None else {}
    if tensorboard:
        training["tensorboard"] = True
    if samples_every is not None:
        from lienzo.api.words import read_duration

        training["samples_every"] = read_duration(samples_every)
    if training:
        values["training"] = training
    if family is not None:
        values["family"] = {"kind": family}
    if size is not None:
        values["data"] = {"size": size}
    from lienzo.cli.training import run

    run(source, out, recipe, budget, start, values, settings or [], fresh=fresh, dry=dry, validate=validation_every)
