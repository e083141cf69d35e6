"""A model to give away: small weights, its card, what it does by default, and nothing of its training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from lienzo.api.find import folder_of
from lienzo.training import export
from lienzo.training.checkpoint import resolve
from lienzo.training.folder import read_json, write_json
from lienzo.training.recipes.stages import GENERATE, RECIPE
from lienzo.training.rounding import Precision


def share(model: str | Path, to: str | Path, *, precision: Precision = "float16") -> Path:
    """Write a model for others: what `load` needs, in half of the bytes, a quarter, or three sixteenths.

    Args:
        model: a run's folder, or a model's name.
        to: a folder that does not exist yet, or is empty.
        precision: of the weights; "int8" or "int6" for matrices and kernels, with a scale a row.

    Returns:
        the folder.

    Raises:
        CheckpointError: if there is no such model, or the folder holds something.
    """
    given = folder_of(str(model))
    found, folder = resolve(given), export(given, to, precision)
    for name in (GENERATE, RECIPE):
        source = next((place / name for place in (found, given, found.parent.parent) if (place / name).is_file()), None)
        if source is not None:
            write_json(folder / name, without_places(read_json(source)))
    return folder


def without_places(plain: Any) -> Any:
    """Return plain data in which folders of this machine have their last names only.

    >>> without_places({"data": {"source": "/home/ana/photos"}, "start": "emoji-64"})
    {'data': {'source': 'photos'}, 'start': 'emoji-64'}
    """
    if isinstance(plain, dict):
        return {name: without_places(value) for name, value in cast(dict[str, Any], plain).items()}
    if isinstance(plain, list):
        return [without_places(value) for value in cast(list[Any], plain)]
    return Path(plain).name if isinstance(plain, str) and Path(plain).is_absolute() else plain
