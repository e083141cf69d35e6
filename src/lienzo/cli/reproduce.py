"""`lienzo reproduce`: make a picture again from its own metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(help="A PNG that `lienzo generate` or `lienzo edit` wrote.")]
ModelName = Annotated[str | None, typer.Option("--model", help="Where its model is now, if it was moved.")]
Out = Annotated[Path | None, typer.Option(help="Write the picture made again here.")]
Json = Annotated[bool, typer.Option("--json", help="Print the verdict for programs.")]


def reproduce(file: File, model: ModelName = None, out: Out = None, as_json: Json = False) -> None:
    """Make a picture again, and say whether it is the same in every pixel.

    The exit code is 0 if it is, 1 if it is not, 2 if it cannot be made.

    [bold]Example[/]

    [cyan]lienzo reproduce out/0003.png[/]
    """
    import json

    from rich.console import Console

    from lienzo.api.record import save
    from lienzo.api.reproduce import reproduce as again

    result = again(file, model=model)
    if out is not None:
        save(result.image, out)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    if as_json:
        verdict = {"same": result.same, "largest": result.largest, "mean": result.mean, "differs": result.differs}
        print(json.dumps({**verdict, "record": result.record.plain()}, ensure_ascii=False, indent=1))
    elif result.same:
        console.print(f"the same, in every pixel: {file}")
        for line in result.differs:
            console.print(f"  although this differs: {line}")
    else:
        console.print(f"not the same: {file}")
        console.print(f"  pixels differ by {result.mean:.3f} on average, {result.largest} at most, of 255")
        for line in result.differs or ["nothing that the record knows differs; the file may have been edited"]:
            console.print(f"  {line}")
    raise typer.Exit(0 if result.same else 1)
