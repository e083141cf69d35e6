"""`lienzo generate`: pictures from words, labels, pictures and maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Prompts = Annotated[
    list[str] | None, typer.Argument(help="What to draw, in English or Spanish; several prompts draw --count each.")
]
Style = Annotated[str | None, typer.Option(help="The drawing's style, e.g. noto, twemoji, fluent-3d.")]
Group = Annotated[str | None, typer.Option(help="What kind of thing it is, e.g. animals-nature.")]
Label = Annotated[
    list[str] | None,
    typer.Option(metavar="[NAME=]VALUE", help="A label by its name, e.g. gender=woman; NAME may be left out where "
                 "just one label knows VALUE. May be repeated."),
]  # fmt: skip
ImageFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A picture to take after.")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="KIND=FILE", help="A map to draw over: edges= (either way: lines are heard white on "
                 "black), depth= (near is bright), segmentation=, pose=, mask=. May be repeated."),
]  # fmt: skip
Count = Annotated[int, typer.Option(min=1, help="How many pictures a prompt.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same pictures, whatever --count is.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps from noise to picture: more are slower and finer.")]
Solver = Annotated[str | None, typer.Option(help="dpm++2m, heun, euler, ddim, ancestral, sde-dpm++2m, langevin.")]
Guidance = Annotated[
    str | None, typer.Option(metavar="WEIGHT", help="How strongly words are obeyed: 3, or one each: text=5,style=2.")
]
Negative = Annotated[str | None, typer.Option(metavar="TEXT", help="What shall not be seen (pretrained models).")]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other option of the model's sampling, e.g. temperature=0.8, "
                 "top_p=0.9, truncation=0.7; a wrong name is answered with those it has. May be repeated."),
]  # fmt: skip
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Of the pictures, e.g. 768x512 (pretrained models).")]
BestOf = Annotated[
    int, typer.Option(min=1, metavar="N", help="Draw each picture N times and keep the one that fits its words best, "
                      "by --judge.")
]  # fmt: skip
Judge = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who tells which drawing fits its words best: by default emoji, the scorer that "
                 "ships and knows drawings like emoji; for photographs the folder of a contrastive transformers model "
                 "(CLIP, SigLIP), hub:OWNER/NAME, or module:Class."),
]  # fmt: skip
Out = Annotated[Path, typer.Option(help="Gets 0000.png …, grid.png and record.json, in the place of an earlier "
                                       "command's; other pictures are never replaced.")]  # fmt: skip
Preview = Annotated[bool, typer.Option("--preview", help="Draw in the terminal, step by step.")]
Json = Annotated[bool, typer.Option("--json", help="Print record.json and nothing else.")]
ModelName = Annotated[
    str, typer.Option("--model", help="A name of `lienzo models`, a run's, a checkpoint's or a pipeline's folder, or a "
                      "pipeline's name on the hub.")
]  # fmt: skip
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU.")]


def generate(
    prompts: Prompts = None,
    style: Style = None,
    group: Group = None,
    label: Label = None,
    image: ImageFile = None,
    maps: Maps = None,
    count: Count = 4,
    seed: Seed = 0,
    steps: Steps = None,
    solver: Solver = None,
    guidance: Guidance = None,
    negative: Negative = None,
    size: Size = None,
    setting: Setting = None,
    best_of: BestOf = 1,
    judge: Judge = None,
    out: Out = Path("out"),
    preview: Preview = False,
    as_json: Json = False,
    model: ModelName = "emoji-64",
    threads: Threads = None,
) -> None:
    """Draw pictures.

    Every picture carries the record of how it was made: `lienzo reproduce out/0003.png` makes it again.

    [bold]Examples[/]

    [cyan]lienzo generate "a cute beagle smiling" --style noto --count 16 --seed 7[/]

    [cyan]lienzo generate "un perro feliz en la nieve" --preview[/]

    [cyan]lienzo generate --group food-drink --style twemoji --guidance 2[/]  no words at all

    [cyan]lienzo generate "a house" --model scenes-64 --map lines=house.png --guidance text=4,lines=2[/]
    """
    from lienzo.cli.generating import Order, run
    from lienzo.training.recipes import overridden

    labels = {name: value for name, value in (("style", style), ("group", group)) if value is not None}
    more = {name: value for name, value in (("negative", negative), ("size", size)) if value is not None}
    more = overridden(more, setting or [])
    order = Order(
        prompts or [], labels, label or [], image, maps or [], count, seed, steps, solver, guidance, more, best_of,
        judge,
    )  # fmt: skip
    run(order, model=model, out=out, preview=preview, as_json=as_json, threads=threads)
