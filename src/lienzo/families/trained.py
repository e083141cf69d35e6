"""A family within a family that was trained before: named in a recipe by its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from lienzo.core import CheckpointError, build


def trained(value: Any) -> Any:
    """Return the family in a checkpoint's or a run's folder, its weights loaded; what is no path as it is.

    The checkpoint of the outer family holds these weights again, so that the folder is read at the first start alone.

    Raises:
        CheckpointError: for a folder without a checkpoint.
    """
    if not isinstance(value, str | Path):
        return value
    folder = Path(value).expanduser()
    try:
        if (folder / "latest").is_file():
            folder = folder / (folder / "latest").read_text("utf-8").strip()
        family = build("family", json.loads((folder / "config.json").read_text("utf-8")))
        family.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read a trained model from {value}: {error}", hint="a run's folder") from None
    return family
