"""`lienzo data`: what there is to learn from, how it looks, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Sources of pictures: list them, look at one, check a folder, build the embedded sets.",
                  no_args_is_help=True, rich_markup_mode="rich")  # fmt: skip

Source = Annotated[str, typer.Argument(help="A built-in set, a folder, a .parquet file, tars, or hub:NAME.")]
Json = Annotated[bool, typer.Option("--json", help="Print it for programs.")]
Size = Annotated[int, typer.Option(min=1, help="Side of the pictures in pixels.")]
Split = Annotated[str, typer.Option(help="train, validation, test, all.")]
Where = Annotated[list[str] | None, typer.Option(metavar="LABEL=CLASS", help="Only these pictures; may be repeated.")]
Seed = Annotated[int, typer.Option(help="Which ones.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the built-in sets and the kinds of sources, with what this machine lacks for each."""
    import json
    from dataclasses import asdict

    from lienzo.data import sources

    if as_json:
        print(json.dumps([asdict(info) for info in sources()], ensure_ascii=False, indent=1))
        return
    from lienzo.cli.kinds import show_sources

    show_sources(sources())


@app.command()
def show(
    source: Source,
    split: Split = "train",
    where: Where = None,
    size: Size = 64,
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 64,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The sheet, a .png.")] = Path("out/data.png"),
    preview: Annotated[bool, typer.Option("--preview", help="Draw some in the terminal.")] = False,
) -> None:
    """Draw a sheet of a source's pictures with their captions, and say what is known of them.

    [bold]Examples[/]

    [cyan]lienzo data show emoji --where style=noto --count 100[/]

    [cyan]lienzo data show ./photos --preview[/]
    """
    from lienzo.cli.sources import show_source

    show_source(source, split, where or [], size, count, seed, out, preview=preview)


@app.command()
def take(
    source: Source,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    split: Split = "train",
    where: Where = None,
    size: Size = 64,
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 16,
    seed: Seed = 0,
) -> None:
    """Write some pictures of a source into a folder, with captions, labels and maps: to try things on, or to train on.

    [bold]Examples[/]

    [cyan]lienzo data take scenes:1000 ./scenes[/]   then   [cyan]lienzo generate "a rabbit in the snow"
    --map lines=scenes/maps/lines/0000.png --model scenes-64[/]

    [cyan]lienzo data take emoji ./own --where style=noto --count 300[/]   then   [cyan]lienzo train ./own[/]
    """
    from lienzo.cli.sources import take_some

    take_some(source, folder, split, where or [], size, count, seed)


@app.command()
def check(
    path: Source,
    size: Size = 64,
    as_json: Json = False,
    report: Annotated[Path | None, typer.Option("--report", help="Write the whole report as JSON here.")] = None,
) -> None:
    """Read a source once, whole, and report what it holds and every file that cannot be used, with the reason.

    The exit code is 1 if something should be mended. No file is changed.

    [bold]Example[/]

    [cyan]lienzo data check ./photos --report photos.json[/]
    """
    from rich.console import Console

    from lienzo.core.errors import DataError
    from lienzo.data import check as read
    from lienzo.data.open import BUILT_IN

    if path in BUILT_IN:
        raise DataError(f"{path} is a built-in set: there is nothing to mend", hint=f"lienzo data show {path}")
    found = read(path, size=size, progress=not as_json)
    if report is not None:
        from lienzo.api.files import write_text

        write_text(report, found.to_json())
    if as_json:
        print(found.to_json())
    else:
        Console(highlight=False).print(found)
    raise typer.Exit(0 if found.ok else 1)


@app.command()
def maps(
    folder: Annotated[Path, typer.Argument(help="A folder of pictures.", exists=True, file_okay=False)],
    edges: Annotated[bool, typer.Option("--edges/--no-edges", help="Edges, one pixel wide, white on black.")] = True,
    lines: Annotated[bool, typer.Option("--lines/--no-lines", help="Line art, likewise: a stroke is one line.")] = True,
    depth: Annotated[str | None, typer.Option(metavar="MODEL", help="Depth, by a folder's or the hub's model.")] = None,
    segmentation: Annotated[str | None, typer.Option(metavar="MODEL", help="Segmentation, likewise.")] = None,
    pose: Annotated[str | None, typer.Option(metavar="MODEL", help="The skeleton of the one person that a picture "
                                             "shows, by a ViTPose model.")] = None,
    size: Annotated[int, typer.Option(min=16, help="Shorter side of the maps: best that of the training.")] = 256,
    again: Annotated[bool, typer.Option("--again", help="Make anew what is there.")] = False,
) -> None:  # fmt: skip
    r"""Make maps of a folder's pictures, and the table (metadata.jsonl) by which training finds them.

    Nothing is overwritten without --again, and no picture is changed. Models need lienzo\[pretrained].

    [bold]Examples[/]

    [cyan]lienzo data maps ./photos --size 64[/]

    [cyan]lienzo data maps ./photos --no-edges --no-lines --depth depth-anything/Depth-Anything-V2-Small-hf[/]
    """
    from lienzo.cli.sources import map_folder

    models = {"depth": depth, "segmentation": segmentation, "pose": pose}
    map_folder(folder, models, size, edges=edges, lines=lines, again=again)


@app.command()
def build(
    sets: Annotated[list[str], typer.Argument(help="emoji, openmoji-maps.")],
    out: Annotated[Path | None, typer.Option(help="Each set gets a folder of its name here; by default the "
                                             "package's own.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Where the packages' tarballs are, or are to be put.")] = None,
) -> None:  # fmt: skip
    """Build the sets that ship inside the package from the packages that they are made of (needs lienzo[build], npm).

    [bold]Example[/]

    [cyan]lienzo data build emoji --out build[/]
    """
    from lienzo.cli.sources import build_sets

    build_sets(sets, out, cache)
