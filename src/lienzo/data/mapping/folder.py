"""The maps of a folder of pictures, and the table that names them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, PngImagePlugin

from lienzo.core.errors import DataError
from lienzo.data.cache import key_of
from lienzo.data.decode import reason_of
from lienzo.data.folder import Folder
from lienzo.data.metadata import METADATA, SUFFIX
from lienzo.data.pixels import LANCZOS, eight_bits, laid_on
from lienzo.data.records import Record

Maker = Callable[[Image.Image], Image.Image]
MAPS, WORK = "maps", ".maps"  # where they are, and where they are made: hidden, so that half of them are never read
TABLE = "metadata.jsonl"
NAMES = "names"  # of a segmentation's classes: a text of its PNG, JSON; `lienzo edit --map` reads it


@dataclass(frozen=True)
class Made:
    """What `make_maps` did.

    Attributes:
        table: the file that names the maps.
        pictures: how many have maps now.
        unread: pictures that could not be read, each with the reason.
    """

    table: Path
    pictures: int
    unread: dict[str, str]


def make_maps(
    folder: Path, makers: Mapping[str, tuple[str, Maker]], *, size: int = 256, again: bool = False,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> Made:  # fmt: skip
    """Make maps of all pictures of a folder, and write the table that training reads.

    The maps lie in FOLDER/maps/KIND; the table, FOLDER/metadata.jsonl, says what was known of each picture before, and
    names its maps. No picture is changed. What was interrupted goes on where it stopped.

    Args:
        folder: of pictures.
        makers: kind of map → (what makes it, in words; the maker).
        size: shorter side of the maps, in pixels, where the picture is larger.
        again: make maps anew that are there, and replace a table that somebody else wrote (it is kept beside).
        tell: is told how many of how many pictures are done.

    Raises:
        DataError: for a folder without pictures, or with maps or tables that would be overwritten or hide these.
    """
    source = Folder(folder)
    records = [record for record in source.records() if isinstance(record.picture, Path)]
    if not records:
        raise DataError(f"no picture in {folder}", hint="a folder of pictures")
    _check(folder, makers, again, records)
    unread: dict[str, str] = {}
    works = {kind: folder / WORK / f"{kind}-{key_of(about, size)[:8]}" for kind, (about, _) in makers.items()}
    for done, record in enumerate(records):
        tell(done, len(records))
        _make(record, {works[kind]: maker for kind, (_, maker) in makers.items()}, size, unread)
    _write(folder, records, makers, unread)  # first: a table that names maps which are not there yet does no harm
    for kind, work in works.items():
        target = folder / MAPS / kind
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        work.replace(target)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    tell(len(records), len(records))
    return Made(folder / TABLE, len(records) - len(unread), unread)


def _check(folder: Path, makers: Mapping[str, Any], again: bool, records: list[Record]) -> None:
    """Refuse what would overwrite something, and tables that are read after ours and would hide it."""
    for kind in makers:
        if (folder / MAPS / kind).exists() and not again:
            raise DataError(f"{folder / MAPS / kind} is there already", hint="--again makes these maps anew")
    table = folder / TABLE
    later = sorted(file for file in folder.rglob("*") if file.name.lower() in METADATA and file > table)
    if later:  # tables are read in the order of their paths, and what is said last of a picture counts
        raise DataError(f"{later[0]} says more of its pictures, and would hide a new table",
                        hint=f"make it a {TABLE} in {folder}")  # fmt: skip
    if table.exists() and not _is_ours(folder, records) and not again:
        hint = "--again writes it anew with all that it says; a copy is kept"
        raise DataError(f"{table} is there already", hint=hint)


def _make(record: Record, makers: Mapping[Path, Maker], size: int, unread: dict[str, str]) -> None:
    todo = {place: make for work, make in makers.items() if not (place := work / f"{record.key}.png").exists()}
    for work in makers:
        work.mkdir(parents=True, exist_ok=True)
    if not todo:
        return
    assert isinstance(record.picture, Path)
    try:
        with Image.open(record.picture) as opened:
            image = laid_on(eight_bits(ImageOps.exif_transpose(opened)), 255)
    except Exception as error:  # decoders raise whatever they like
        unread[record.key] = ": ".join(reason_of(error))[:200]
        return
    share = min(1.0, size / min(image.size))
    image = image.resize((max(1, round(image.width * share)), max(1, round(image.height * share))), LANCZOS)
    for place, make in todo.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        part, made = place.with_suffix(".part"), make(image)
        made.save(part, "PNG", pnginfo=_texts(made))
        part.replace(place)


def _write(folder: Path, records: list[Record], makers: Mapping[str, Any], unread: Mapping[str, str]) -> None:
    """Write the table in whole: all that was known before, and where the maps are."""
    rows: list[str] = []
    for record in records:
        maps = {kind: os.path.relpath(place, folder) for kind, place in _paths(record).items()}
        if record.key not in unread:
            maps |= {kind: f"{MAPS}/{kind}/{record.key}.png" for kind in makers}
        places = {f"{kind}_{SUFFIX}": Path(place).as_posix() for kind, place in maps.items()}
        rows.append(json.dumps({SUFFIX: record.key, **record.fields, **places}, ensure_ascii=False))
    table = folder / TABLE
    part = table.with_suffix(".part")
    part.write_text("\n".join(rows) + "\n", "utf-8")
    if table.exists() and not _is_ours(folder, records):
        shutil.copy2(table, _free(table))
    part.replace(table)


def _is_ours(folder: Path, records: list[Record]) -> bool:
    """Tell whether the table was written here: it names maps where these are put."""
    return any(place.is_relative_to(folder / MAPS) for record in records for place in _paths(record).values())


def _free(table: Path) -> Path:
    """Return where a table's copy may lie: no earlier one is written over."""
    names = (table.with_name(f"{table.name}.before{number}") for number in ("", *map(str, range(2, 1000))))
    return next(place for place in names if not place.exists())


def _texts(image: Image.Image) -> PngImagePlugin.PngInfo:
    """Return what a map says of itself, for its file: the names of its classes."""
    about = PngImagePlugin.PngInfo()
    if NAMES in image.info:
        about.add_text(NAMES, str(image.info[NAMES]), zip=True)
    return about


def _paths(record: Record) -> dict[str, Path]:
    return {kind: place for kind, place in record.maps.items() if isinstance(place, Path)}
