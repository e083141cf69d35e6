"""A model to give away: small weights, its card, what it does by default, and nothing of its training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from lienzo.api.find import folder_of
from lienzo.training import export
from lienzo.training.checkpoint import resolve
from lienzo.training.recipes.stages import GENERATE, RECIPE


def share(model: str | Path, to: str | Path, *, precision: Literal["float32", "float16", "int8"] = "float16") -> Path:
    """Write a model for others: what `load` needs, in half or a quarter of the bytes.

    Args:
        model: a run's folder, or a model's name.
        to: a folder that does not exist yet, or is empty.
        precision: of the weights; "int8" for matrices and kernels, with a scale a row.

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
            shutil.copyfile(source, folder / name)
    return folder
