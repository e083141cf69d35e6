"""An edit from the command line: the files, the report."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from lienzo.api.edit.asked import Asked
from lienzo.api.edit.checks import check_files, count_of
from lienzo.api.edit.run import Edit, edited
from lienzo.api.model import load
from lienzo.api.record import save, write_png
from lienzo.core import DataError


@dataclass(frozen=True)
class Places:
    """Where an edit is written.

    Attributes:
        pictures: one an edit, or a frame.
        sheet: before, after and difference.
        mask: of what might change, where not everything might.
    """

    pictures: list[Path]
    sheet: Path
    mask: Path

    @classmethod
    def beside(cls, place: Path, count: int) -> Places:
        """Return the files of an edit whose result, or whose first result, is named `place`."""

        def named(more: object) -> Path:
            return place.with_name(f"{place.stem}-{more}.png")

        return cls([named(n) for n in range(count)] if count > 1 else [place], named("sheet"), named("mask"))


def run(
    picture: Path, asked: Asked, *, model: str, out: Path | None, overwrite: bool, as_json: bool, threads: int | None
) -> None:
    """Edit, write, report."""
    places = _places(picture, out, overwrite, asked)
    check_files(picture, asked)  # before a model is loaded, which may take minutes
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    used, begun = load(model), time.monotonic()
    with _working() as called:
        result = edited(used, picture, asked, called=called)
    seconds = time.monotonic() - begun
    files = _written(result, places)
    if as_json:
        print(json.dumps({"seconds": round(seconds, 3), **files, **result.plain()}, ensure_ascii=False, indent=1))
    else:
        _tell(result, files, seconds)


def _places(picture: Path, out: Path | None, overwrite: bool, asked: Asked) -> Places:
    """Return where everything goes; refuse to write over what was given, unless that was asked for.

    Raises:
        DataError: for a name that does not do, a folder that cannot be written to, or a file that was given.
    """
    picture = picture.expanduser()
    place = out.expanduser() if out is not None else picture.with_name(f"{picture.stem}-edit.png")
    if place.suffix.lower() != ".png":
        raise DataError(
            f"an edit is written as PNG, not {place.suffix or 'without a suffix'}", hint=f"{place.stem}.png"
        )
    places = Places.beside(place, count_of(asked))
    itself = overwrite and places.pictures == [place]  # one edit, on the picture alone
    if overwrite and not itself:
        raise DataError(f"{len(places.pictures)} edits over one picture", hint="--count 1, and no frames")
    for written in (*places.pictures, places.sheet, places.mask):
        if _same(written, picture) and not (itself and written == place):
            hint = "another --out" if overwrite or written != place else "another --out, or --overwrite"
            raise DataError(f"{written} is the picture itself, and would be written over", hint=hint)
        if any(_same(written, file) for file in asked.settled().files()) or _in(written, (asked.like, asked.unlike)):
            raise DataError(f"{written} was given for this edit, and would be written over", hint="another --out")
    _check_folder(place.parent)
    return places


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _in(file: Path, folders: Sequence[str]) -> bool:
    """Tell whether a file that exists lies in one of these folders."""
    named = [Path(folder).expanduser() for folder in folders if folder]
    return file.exists() and any(folder.is_dir() and file.parent.samefile(folder) for folder in named)


def _check_folder(folder: Path) -> None:
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise DataError(f"nothing can be written to {folder}", hint="a folder that you may write to")


@contextmanager
def _working() -> Generator[Callable[[], None]]:
    """Show in a terminal how often the network has been called."""
    console, calls = Console(stderr=True), 0
    with console.status("looking at the picture …") as status:

        def called() -> None:
            nonlocal calls
            calls += 1
            status.update(f"drawing: network call {calls} …")

        yield called


def _written(result: Edit, places: Places) -> dict[str, Any]:
    files = [str(save(image, name)) for image, name in zip(result.images, places.pictures, strict=True)]
    sheet = write_png(result.sheet, places.sheet)
    mask = None if result.mask is None else str(write_png(result.mask, places.mask))
    return {"files": files, "sheet": str(sheet), "mask": mask}


def _tell(result: Edit, files: dict[str, Any], seconds: float) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{result.how} in {seconds:.1f} s: {', '.join(files['files'])}")
    for note in result.notes:
        console.print(f"  note: {note}")
    for number, change in enumerate(result.changes):
        head = f"  {number}: " if len(result.changes) > 1 else "  "
        kept = ("nothing was to be kept" if change.kept_largest is None else
                f"kept {change.kept_share:.0%}: changed by {change.kept_mean:g} on average, {change.kept_largest} at "
                "most, of 255")  # fmt: skip
        console.print(f"{head}{kept}; the rest by {change.mean:.1f}, visibly in {change.visible:.0%} of it")
        if result.met:
            met = result.met[number]
            console.print(f"{head}{result.words!r} fits better than {met.rank_before:.0%} of the emoji's captions "
                          f"before, {met.rank_after:.0%} after (by emoji-scorer, which knows drawings)")  # fmt: skip
    console.print(f"  sheet: {files['sheet']}" + (f", mask: {files['mask']}" if files["mask"] else ""))
    console.print(f"  again: {shlex.join(['lienzo', 'reproduce', files['files'][0]])}")
