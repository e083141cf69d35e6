"""`lienzo adapt`: teach a model a map, or a thing of one's own, and leave it as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelName = Annotated[str, typer.Argument(help="A name of `lienzo models`, or the folder of a run or a checkpoint.")]
Source = Annotated[
    str, typer.Argument(help="Pictures with the map as a column (openmoji-maps, scenes, a folder); or a handful of "
                        "pictures of a thing.")
]  # fmt: skip
Map = Annotated[
    str, typer.Option("--map", metavar="KIND", help="The map to hear: its column, or depth, edges, lines, "
                      "segmentation, pose, mask.")
]  # fmt: skip
Words = Annotated[str, typer.Option("--concept", metavar="WORDS", help='Words that shall mean the thing: "my dog".')]
Prior = Annotated[str, typer.Option(metavar="WORDS", help="The kind of thing that a concept is; its own words but for "
                                    "the first unless said.")]  # fmt: skip
Budget = Annotated[
    str | None, typer.Option(help="How long it may take: 20m, 45s; 20m for a map and 10m for a concept unless said.")
]
Out = Annotated[Path | None, typer.Option(help="The run's folder; runs/MODEL-MAP or runs/MODEL-WORDS by default.")]
DesignName = Annotated[str, typer.Option(help="For a map: features (an encoder of the map) or copy (of the model's "
                                         "first part).")]  # fmt: skip
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of training, e.g. learning_rate=3e-4; may be "
                 "repeated."),
]  # fmt: skip
Fresh = Annotated[bool, typer.Option("--fresh/--resume", help="Demand a folder without a run, or go on with its run.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU.")]


def adapt(
    model: ModelName,
    source: Source,
    map_kind: Map = "",
    concept: Words = "",
    prior: Prior = "",
    budget: Budget = None,
    out: Out = None,
    design: DesignName = "features",
    settings: Settings = None,
    fresh: Fresh = False,
    threads: Threads = None,
) -> None:
    """Teach a model something more.

    All its weights stay as they are: what is learnt is a small file of its own, which the run's folder names like a
    model. Without the new map, it draws what the model draws, bit for bit. Ctrl-C saves, and the same command goes on.

    [bold]Examples[/]

    [cyan]lienzo adapt emoji-64 openmoji-maps --map lines --budget 20m[/]

    [cyan]lienzo generate "a house" --model runs/emoji-64-lines --map line_art=house.png[/]

    [cyan]lienzo adapt emoji-64 ./my-dog --concept "my dog"[/]
    """
    from lienzo.api.adapt.run import Wish
    from lienzo.cli.adapting import run

    wish = Wish(model, source, map_kind, concept, prior, design)
    run(wish, settings or [], out=out, budget=budget, fresh=fresh, threads=threads)
