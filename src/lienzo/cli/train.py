"""`lienzo train`: learn a source of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Source = Annotated[
    str | None,
    typer.Argument(
        help="A folder of pictures, a .parquet file, tars, hub:NAME, or a built-in set such as emoji. Left out: go on "
        "with the run in --out. Tars of more than 16 GiB, or with --set data.stream=true, are read while training; "
        "smaller ones are decoded beforehand."
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        help="How long it may take: 30m, 1h30m, 45s; a bare number is seconds. Size, width and schedule are then "
        "chosen so that the run is complete in that time; with a recipe that says how many images, it ends with what "
        "comes first."
    ),
]
Out = Annotated[Path | None, typer.Option(help="The run's folder; runs/NAME by default, NAME from recipe and source.")]
RecipeFile = Annotated[Path | None, typer.Option(help="A recipe; recipes/quickstart.toml explains every line.")]
FamilyKind = Annotated[str | None, typer.Option(help="What to train, see `lienzo families`.")]
Size = Annotated[int | None, typer.Option(help="Side of the pictures in pixels.")]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="Start from a model's weights: a name of `lienzo models` or a run's folder; 'scratch' for none. By "
        "default what fits.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any value of the recipe, e.g. training.learning_rate=3e-4; may be repeated.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh/--resume", help="Demand a folder without a run, or go on with its run.")]
SamplesEvery = Annotated[str | None, typer.Option(help="How often a sheet of samples is drawn, e.g. 5m.")]
ValidationEvery = Annotated[str | None, typer.Option(help="How often held-out pictures are scored, e.g. 5m.")]
Threads = Annotated[int | None, typer.Option(help="Threads on a CPU.")]
Tensorboard = Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard events too.")]
Dry = Annotated[bool, typer.Option("--dry", help="Show the recipe that would be run, and leave.")]


def train(
    source: Source = None,
    budget: Budget = None,
    out: Out = None,
    recipe: RecipeFile = None,
    family: FamilyKind = None,
    size: Size = None,
    start: Start = None,
    settings: Settings = None,
    fresh: Fresh = False,
    samples_every: SamplesEvery = None,
    validation_every: ValidationEvery = None,
    threads: Threads = None,
    tensorboard: Tensorboard = False,
    dry: Dry = False,
) -> None:
    """Train a model on pictures.

    What lies beside the pictures (metadata.csv, metadata.jsonl with captions) and the names of subfolders become what
    you may say to the model. Ctrl-C saves, and the same command goes on.

    [bold]Examples[/]

    [cyan]lienzo train ./photos --budget 30m[/]

    [cyan]lienzo train emoji --recipe recipes/emoji-64.toml --out runs/emoji-64[/]

    [cyan]lienzo train ./photos --budget 10m --set data.flip=0.5 --set training.batch_size=32[/]

    [cyan]lienzo train "shards-{000..099}.tar" --budget 12h --set data.stream=true[/]

    [cyan]lienzo train --out runs/photos[/]  goes on with what that folder holds
    """
    from lienzo.cli.training import Wish, run
    from lienzo.training.budget import seconds_of

    training: dict[str, Any] = {"threads": threads, "tensorboard": tensorboard or None}
    training["samples_every"] = seconds_of(samples_every) if samples_every is not None else None
    values: dict[str, Any] = {
        "training": {name: value for name, value in training.items() if value is not None},
        "family": {} if family is None else {"kind": family},
        "data": {} if size is None else {"size": size},
    }
    validate = seconds_of(validation_every) if validation_every is not None else None
    wish = Wish(source, out, recipe, budget, start, {name: value for name, value in values.items() if value})
    run(wish, settings or [], fresh=fresh, dry=dry, validation_every=validate)
