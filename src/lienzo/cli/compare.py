"""`lienzo compare`: families side by side on one's own pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

Source = Annotated[str, typer.Argument(help="The pictures: emoji, fashion-mnist, a folder, ….")]
Families = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="To train: names of `lienzo families`, or recipes (.toml).")
]
Models = Annotated[
    str | None,
    typer.Option(metavar="A,B,…", help="Trained already: names of `lienzo models`, folders of runs; A,dtype=bfloat16."),
]
Budget = Annotated[str | None, typer.Option(help="How long each training may take: 10m, 1h, 45s.")]
Out = Annotated[
    Path | None, typer.Option(help="Gets report.html, report.json, runs/, measured/; compare/SOURCE by default.")
]
Count = Annotated[int, typer.Option(min=16, help="Pictures a seed: figures are sharper with more.")]
Seeds = Annotated[int, typer.Option(min=1, help="Sampling seeds: their spread gives the intervals.")]
Features = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="clf64, emoji, pca, efficientnet-lite0, inception:FILE, the folder of a "
                 "transformers model, hub:OWNER/NAME, or module:Class."),
]  # fmt: skip
Judge = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who tells whether a picture is what its words say: emoji, the folder of a "
                 "contrastive transformers model (CLIP, SigLIP), hub:OWNER/NAME, or module:Class."),
]  # fmt: skip
Scored = Annotated[int, typer.Option(min=0, help="Held-out pictures whose likelihood is measured, if a model can.")]
Size = Annotated[int | None, typer.Option(help="Side of the pictures in pixels.")]
Watts = Annotated[float, typer.Option(min=0, help="What the machine is taken to draw, for the estimate of energy.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any value of every recipe, e.g. data.flip=0.5; may be repeated."),
]


def listed(text: str) -> list[str]:
    """Return the names in a list; how one is loaded stays with it.

    >>> listed("emoji-64,dtype=bfloat16, runs/a=b,")
    ['emoji-64,dtype=bfloat16', 'runs/a=b']
    """
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if names and re.match(r"\w+=", part):
            names[-1] += f",{part}"
        elif part:
            names.append(part)
    return names


def compare(
    source: Source,
    families: Families = None,
    models: Models = None,
    budget: Budget = None,
    out: Out = None,
    count: Count = 1000,
    seeds: Seeds = 5,
    features: Features = None,
    judge: Judge = None,
    scored: Scored = 64,
    size: Size = None,
    watts: Watts = 65.0,
    threads: Threads = None,
    settings: Settings = None,
) -> None:
    """Put families side by side: train each for the same time, measure all alike, say which is for what.

    One page that needs no other file, with samples, figures, cost and plots; and the same as data. Ctrl-C stops, and
    the same command goes on; what is finished is not done again.

    [bold]Examples[/]

    [cyan]lienzo compare ./photos --families vae,gan,diffusion --budget 10m[/]

    [cyan]lienzo compare emoji --models emoji-64,runs/emoji --count 500[/]
    """
    from lienzo.cli.comparing import run

    training: dict[str, Any] = {} if threads is None else {"threads": threads}
    tables: dict[str, Any] = {"training": training, "data": {} if size is None else {"size": size}}
    asked = {"count": count, "seeds": seeds, "features": features, "judge": judge, "scored": scored, "watts": watts}
    trained, there = listed(families or ""), listed(models or "")
    run(source, trained, there, budget, out, {n: t for n, t in tables.items() if t}, settings or [], asked)
