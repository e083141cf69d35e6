"""`lienzo evaluate`: figures that can be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ModelName = Annotated[str, typer.Argument(help="A name of `lienzo models`, or the folder of a run or a checkpoint.")]
Data = Annotated[str, typer.Option(help="The pictures that it is held against: emoji, fashion-mnist, a folder, ….")]
Count = Annotated[int, typer.Option(min=16, help="Pictures a seed: figures are sharper with more.")]
Seeds = Annotated[int, typer.Option(min=1, help="How many seeds: the spread over them is shown.")]
Features = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="clf64, emoji, pca, efficientnet-lite0, inception:FILE, the folder of a "
                 "transformers model, hub:OWNER/NAME, or module:Class."),
]  # fmt: skip
Scored = Annotated[
    int | None,
    typer.Option(min=0, help="Held-out pictures whose likelihood is measured; by default 64, if the model has one."),
]
Samples = Annotated[
    int, typer.Option(min=1, help="Codes a picture of the importance-weighted bound (IWAE-K), of a family with codes.")
]
Split = Annotated[
    str, typer.Option(help="What it is held against: train, validation, test, all, or several joined by +.")
]
Finders = Annotated[
    list[str] | None,
    typer.Option("--finder", metavar="MAP=NAME", help="Who finds a map in a picture, to see whether it is obeyed: the "
                 "folder of a transformers pipeline, or module:Class."),
]  # fmt: skip
Judge = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who tells whether a picture is what its words say: emoji, the folder of a "
                 "contrastive transformers model (CLIP, SigLIP), hub:OWNER/NAME, or module:Class; by default emoji, if "
                 "it knows such pictures."),
]  # fmt: skip
Squared = Annotated[
    Literal["crop", "pad", "squash"] | None,
    typer.Option(help="How pictures become square; by default as in the model's training, else crop."),
]  # fmt: skip
Kept = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="LABEL=CLASS", help="Hold it against this class alone; by default against those "
                 "that it learnt, if this is what it learnt from."),
]  # fmt: skip
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of evaluation.json in the run's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the file and nothing else.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU.")]


def evaluate(
    model: ModelName,
    data: Data,
    count: Count = 1000,
    seeds: Seeds = 5,
    features: Features = None,
    scored: Scored = None,
    samples: Samples = 1,
    split: Split = "validation+test",
    finder: Finders = None,
    judge: Judge = None,
    policy: Squared = None,
    where: Kept = None,
    out: Out = None,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Measure a model: every figure beside what as many real pictures measure.

    Begun again, it goes on after the last seed that was finished.

    [bold]Examples[/]

    [cyan]lienzo evaluate emoji-64 --data emoji --count 200 --seeds 2[/]

    [cyan]lienzo evaluate runs/clothes --data fashion-mnist --count 10000 --out clothes.json[/]

    [cyan]lienzo evaluate runs/photos --data ./photos --judge hub:openai/clip-vit-base-patch32[/]
    """
    from lienzo.cli.evaluating import run

    run(
        model, data, count, seeds, features, scored, out, finders=finder or [], judge=judge, policy=policy,
        where=where or [], samples=samples, split=split, as_json=as_json, threads=threads,
    )  # fmt: skip
