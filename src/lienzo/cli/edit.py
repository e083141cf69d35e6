"""`lienzo edit`: change a picture, and keep what must stay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Picture = Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture to edit; it stays as it is.")]
Words = Annotated[
    str, typer.Argument(metavar="INSTRUCTION", help="What the picture should show, in English or Spanish.")
]
HowName = Annotated[str, typer.Option("--how", metavar="NAME", help="redraw, inpaint, variation, …: see --hows. "
                                      "By default instruct where the model has learnt it; else inpaint under a "
                                      "mask, redraw without one.")]  # fmt: skip
Keep = Annotated[
    str, typer.Option(metavar="MASK|WORDS", help="What must stay, pixel for pixel: a mask (white is kept), classes of "
                      "--map (house, tree), or words that the model looks for.")
]  # fmt: skip
Change = Annotated[str, typer.Option(metavar="MASK|WORDS", help="What alone may change.")]
Map = Annotated[str, typer.Option("--map", metavar="FILE", help="A segmentation with names beside it (FILE.json: "
                                  "[\"sky\", \"building\"]), so that --keep building means it.")]  # fmt: skip
SaidToo = Annotated[list[str] | None, typer.Option("--said", metavar="NAME=VALUE", help="Anything else that the model "
                    "hears: a map over the picture (lines=FILE, white on black; depth=, pose=, segmentation=), a thing "
                    "to take after (reference=FILE), a label. May be repeated.")]  # fmt: skip
Like = Annotated[
    str, typer.Option(metavar="IMAGE", help="Another picture (interpolate, mix), or a folder (attribute).")
]
Unlike = Annotated[
    str, typer.Option(metavar="FOLDER", help="Pictures that lack what those of --like have (attribute).")
]
Was = Annotated[str, typer.Option(metavar="WORDS", help="What the picture shows now (invert, style).")]
Strength = Annotated[float | None, typer.Option(min=0.0, max=1.0, help="0 leaves it as it is, 1 draws it wholly anew.")]
Style = Annotated[str | None, typer.Option(help="The drawing's style, e.g. noto, twemoji, fluent-3d.")]
Group = Annotated[str | None, typer.Option(help="What kind of thing it is, e.g. animals-nature.")]
Feather = Annotated[int | None, typer.Option(min=0, max=64, help="Pixels of the seam, inside the change.")]
Margin = Annotated[float, typer.Option(help="Of outpaint: how far out, as a share of the longer side.")]
Context = Annotated[
    float | None,
    typer.Option(min=1.0, help="Under a mask: side of what the model sees over that of the change, 1.5 unless said. At "
                 "1 a thing fills the mask; with more it fits its surroundings."),
]  # fmt: skip
Amount = Annotated[float, typer.Option(help="Of attribute: how far; negative takes it away.")]
By = Annotated[str | None, typer.Option(help="Of inpaint: how what is kept is heard: state, estimate, moments.")]
Take = Annotated[
    str | None, typer.Option(metavar="GRADES", help="Of mix: whose styles are the other's: coarse,middle,fine.")
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other option of the model's sampling (complete, instruct), "
                 "e.g. temperature=0.8; may be repeated."),
]  # fmt: skip
Count = Annotated[int, typer.Option(min=1, help="How many edits, or frames.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same edit.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps from noise to picture.")]
Guidance = Annotated[
    str | None, typer.Option(metavar="WEIGHT", help="How strongly words are obeyed: 3, or text=5,style=2.")
]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A .png; IMAGE-edit.png beside the picture unless said.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Allow --out to be the picture itself.")]
Json = Annotated[bool, typer.Option("--json", help="Print what was done and measured, for programs.")]
Hows = Annotated[bool, typer.Option("--hows", is_eager=True, help="Say what --how may be, and leave.",
                                    callback=lambda asked: _tell_hows() if asked else None)]  # fmt: skip
ModelName = Annotated[
    str, typer.Option("--model", help="A name of `lienzo models`, a run's, a checkpoint's or a pipeline's folder, or a "
                      "pipeline's name on the hub.")
]  # fmt: skip
Threads = Annotated[int | None, typer.Option(min=1, help="Threads on a CPU.")]


def edit(
    picture: Picture,
    words: Words = "",
    how: HowName = "auto",
    keep: Keep = "",
    change: Change = "",
    map_file: Map = "",
    like: Like = "",
    unlike: Unlike = "",
    was: Was = "",
    strength: Strength = None,
    style: Style = None,
    group: Group = None,
    said: SaidToo = None,
    feather: Feather = None,
    margin: Margin = 0.25,
    context: Context = None,
    amount: Amount = 1.0,
    by: By = None,
    take: Take = None,
    setting: Setting = None,
    count: Count = 1,
    seed: Seed = 0,
    steps: Steps = None,
    guidance: Guidance = None,
    out: Out = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    hows: Hows = False,
    model: ModelName = "emoji-64",
    threads: Threads = None,
) -> None:
    """Edit a picture with words; keep what must stay.

    What is kept is the original's own, pixel for pixel: nothing is resampled, and the seam lies inside the change.
    A large picture is edited at its own scale, in the part that changes. Beside the result lie a sheet (before, after,
    difference) and, where words said what to keep, the mask that was found or guessed: look at it.

    [bold]Examples[/]

    [cyan]lienzo edit house.png "a house covered in snow"[/]  the whole picture, image to image

    [cyan]lienzo edit house.png "it's snowing" --keep house-mask.png[/]  all but the white of the mask

    [cyan]lienzo edit street.png "snow" --map street-map.png --keep building[/]  a class of a segmentation

    [cyan]lienzo edit meadow.png "add a dog" --change spot.png --said reference=dog.png[/]  a dog like this one

    [cyan]lienzo edit house.png --how variation --count 4[/]  `lienzo edit --hows` lists the ways

    [cyan]lienzo reproduce house-edit.png[/]  makes the edit again: the same in every pixel?
    """
    from lienzo.api.edit.asked import Asked
    from lienzo.api.words import read_guidance, read_pairs
    from lienzo.cli.editing import run
    from lienzo.training.recipes import overridden

    weights = None if guidance is None else read_guidance(guidance)
    options = {"steps": steps, "guidance": weights, "by": by, "take": take}
    options = overridden({name: value for name, value in options.items() if value is not None}, setting or [])
    labels = {name: value for name, value in (("style", style), ("group", group)) if value is not None}
    asked = Asked(
        words, how, keep, change, map_file, like, unlike, was, strength, seed, count,
        {**labels, **read_pairs(said or [], "condition", "--said reference=dog.png")},
        options, feather, amount, margin, context,
    )  # fmt: skip
    run(picture, asked, model=model, out=out, overwrite=overwrite, as_json=as_json, threads=threads)


def _tell_hows() -> None:
    from rich.console import Console

    from lienzo.api.edit.hows import HOWS

    console = Console(soft_wrap=True, highlight=False, markup=False)
    for name, row in HOWS.items():
        console.print(f"{name:<12} {row.does}\n{'':<12} {row.example}")
    raise typer.Exit
