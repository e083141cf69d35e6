"""Pictures that an edit is given: in memory, and those that it takes after, as the model sees them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lienzo.core import ConfigurationError, DataError
from lienzo.editing import looked_at, open_canvas, region_of

MOST = 200  # pictures of a folder, for an attribute


def picture_of(given: object) -> Path | Image.Image:
    """Return what a program gives as a picture to edit: a path, or a picture in memory.

    Raises:
        ConfigurationError: for anything else.
    """
    return Path(given) if isinstance(given, str | PathLike) else as_image(given, "the picture")


def as_image(given: Any, name: str) -> Image.Image:
    """Return an array of bytes (H, W[, 3 or 4]), or of bool (H, W), as a picture.

    Raises:
        ConfigurationError: for anything else.
    """
    if isinstance(given, Image.Image):
        return given
    plain: Any = given if isinstance(given, np.ndarray) else None
    if plain is None or plain.dtype not in (np.bool_, np.uint8) or plain.shape[2:] not in ((), (3,), (4,)):
        what = type(given).__name__ if plain is None else f"an array of {plain.dtype} and shape {plain.shape}"
        raise ConfigurationError(f"{name} is {what}", hint="a file, a PIL image, or an array of bytes (H, W, 3)")
    return Image.fromarray(plain * np.uint8(255) if plain.dtype == np.bool_ else plain)


def whole(file: Path, shape: tuple[int, int, int]) -> Tensor:
    """Return all of a picture, (1, C, H, W) in [-1, 1]; it is not squeezed: its edge is repeated."""
    canvas = open_canvas(file)
    return looked_at(canvas, region_of(canvas.size, None, (shape[2], shape[1])), shape)


def pictures_in(name: str, shape: tuple[int, int, int]) -> Tensor:
    """Return the first pictures of a folder, (B, C, H, W).

    Raises:
        DataError: if there are none.
    """
    folder = Path(name).expanduser()
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))[:MOST]
    if not found:
        raise DataError(f"there are no pictures in {name}", hint="a folder of PNG, JPEG or WebP pictures")
    return torch.cat([whole(path, shape) for path in found])
