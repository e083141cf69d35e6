"""Some pictures of a source as a folder that everything reads: with their captions, labels and maps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from lienzo.core.errors import DataError
from lienzo.data.dataset import Column, Dataset
from lienzo.data.mapping.folder import MAPS, NAMES, TABLE
from lienzo.data.metadata import SUFFIX

DRAWN = ("map", "image")  # columns that are pictures


def take(dataset: Dataset, indices: Sequence[int], folder: Path) -> Path:
    """Write pictures, their maps in FOLDER/maps/NAME, and FOLDER/metadata.jsonl, which says what is known of them.

    Args:
        dataset: where they are from; what it tells aside is written too.
        indices: which.
        folder: a new one, or an empty one.

    Returns:
        the table.

    Raises:
        DataError: if the folder holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is not empty", hint="a new folder: nothing is written over")
    columns = {name: c for name, c in {**dataset.columns, **dataset.asides}.items() if name != "background"}
    folder.mkdir(parents=True, exist_ok=True)
    rows = list[dict[str, Any]]()
    for number, (index, pixels) in enumerate(zip(indices, dataset.pictures(indices), strict=True)):
        name = f"{number:04}.png"
        picture_of(pixels).save(folder / name)
        said = {column: dataset.values(column, [index])[0] for column in columns}
        drawn = {n: value for n, value in said.items() if columns[n].kind in DRAWN and value is not None}
        plain = {n: value for n, value in said.items() if columns[n].kind not in DRAWN and value is not None}
        for column, value in drawn.items():
            _write(value, columns[column], folder / MAPS / column / name)
        rows.append({SUFFIX: name, **plain, **{f"{column}_{SUFFIX}": f"{MAPS}/{column}/{name}" for column in drawn}})
    table = folder / TABLE
    table.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return table


def picture_of(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return (H, W, C) uint8 as a picture: grey, in colour, or transparent."""
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def _write(value: NDArray[np.uint8], column: Column, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    about = PngImagePlugin.PngInfo()
    if column.map_kind == "segmentation" and column.classes:
        about.add_text(NAMES, json.dumps(list(column.classes)), zip=True)
    picture_of(value).save(place, pnginfo=about)
