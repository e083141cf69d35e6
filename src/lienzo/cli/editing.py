"""An edit from the command line: the files, the report."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from lienzo.api.edit import Edit, edited
from lienzo.api.edit_asked import Asked
from lienzo.api.model import load
from lienzo.api.record import save, write_png
from lienzo.core import DataError


def run(
    picture: Path, asked: Asked, *, model: str, out: Path | None, overwrite: bool, as_json: bool, threads: int | None
) -> None:
    """Edit, write, report."""
    place = _place(picture, out, overwrite, asked.count)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    used, begun = load(model), time.monotonic()
    with _working() as called:
        result = edited(used, picture, asked, called=called)
    seconds = time.monotonic() - begun
    files = _written(result, place)
    if as_json:
        print(json.dumps({"seconds": round(seconds, 3), **files, **result.plain()}, ensure_ascii=False, indent=1))
    else:
        _tell(result, files, seconds)


def _place(picture: Path, out: Path | None, overwrite: bool, count: int) -> Path:
    """Return where the result goes; refuse to write over the picture, unless that was asked for."""
    place = out if out is not None else picture.expanduser().with_name(f"{picture.stem}-edit.png")
    if place.suffix.lower() != ".png":
        raise DataError(
            f"an edit is written as PNG, not {place.suffix or 'without a suffix'}", hint=f"{place.stem}.png"
        )
    if place.exists() and picture.expanduser().exists() and place.samefile(picture.expanduser()) and not overwrite:
        raise DataError(f"{place} is the picture itself", hint="another --out, or --overwrite")
    if count > 1 and overwrite:
        raise DataError(f"{count} edits over one picture", hint="--count 1")
    return place


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


def _written(result: Edit, place: Path) -> dict[str, Any]:
    several = len(result.images) > 1
    names = [place.with_name(f"{place.stem}-{n}.png") if several else place for n in range(len(result.images))]
    files = [str(save(image, name)) for image, name in zip(result.images, names, strict=True)]
    sheet = write_png(result.sheet, place.with_name(f"{place.stem}-sheet.png"))
    mask = None
    if result.mask is not None:
        mask = str(write_png(result.mask, place.with_name(f"{place.stem}-mask.png")))
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
