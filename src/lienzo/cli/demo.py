"""`lienzo demo`: a page of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option(help="Gets index.html and the pictures.")]
ModelName = Annotated[str, typer.Option("--model", help="A name of `lienzo models`, or the folder of a run.")]
Seed = Annotated[int, typer.Option(help="Of all pictures.")]


def demo(out: Out = Path("out/demo"), model: ModelName = "emoji-64", seed: Seed = 7) -> None:
    """Draw a page that shows what a model can do: prompts in every style, the way from noise to picture, classes.

    Takes less than three minutes on two cores. Each picture stands over the command that makes it again.

    [bold]Examples[/]

    [cyan]lienzo demo[/]

    [cyan]lienzo demo --model runs/photos --out out/photos[/]
    """
    import sys
    import time

    from rich.console import Console

    from lienzo.api.demo import demo as show

    begun = time.monotonic()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    page = show(out, model, seed=seed, tell=console.print)
    console.print(f"done in {time.monotonic() - begun:.0f} s; open {page}")
    for name in ("prompts.png", "steps.png", "classes.png", "samples.png"):
        if (out / name).is_file():
            console.print(f"  {out / name}")
    from lienzo.api.find import card_of, folder_of, lines_of
    from lienzo.training.checkpoint import resolve

    card = card_of(resolve(folder_of(model)))
    console.print("what drew them: a small model; its card says")
    for section in ("Data", "Training", "Quality", "Limits"):
        for line in lines_of(card, section)[:3]:
            console.print(f"  {line}")
    console.print(f"your turn: {sys.argv[0]} generate 'a red apple' --style noto; README.md goes on from there")
