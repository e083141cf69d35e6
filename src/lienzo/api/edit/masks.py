"""From --keep and --change to one mask: a file, a class of a map, or words that the model looks for."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import torch
from PIL import Image

from lienzo.api.edit.asked import Asked
from lienzo.api.edit.hows import How
from lienzo.api.edit.looking import looked_for
from lienzo.api.edit.seen import as_image
from lienzo.api.edit.told import denoises
from lienzo.api.edit.work import Work
from lienzo.api.model import Model
from lienzo.core import ConfigurationError, Encodes
from lienzo.editing import Canvas, Picked, combined, moved, read_class, read_mask, recoded, space_of
from lienzo.editing.canvas import MOST
from lienzo.editing.masks import is_file
from lienzo.families.latent import Latent

Given = Mapping[str, Image.Image]
NO_MASKS: Given = {}


def mask_of(asked: Asked, canvas: Canvas, model: Model, given: Given = NO_MASKS) -> Picked | None:
    """Return what may change, or None where nothing was said about it.

    Args:
        asked: keep, change and map.
        canvas: the picture.
        model: looks for words.
        given: masks that are no files, by "keep" and "change".

    Raises:
        LienzoError: for a mask that cannot be read or does not fit, or masks that leave nothing to do.
    """
    said = {"change": asked.change, "keep": asked.keep}
    change, keep = (
        read_mask(given[name], canvas.size) if name in given else _picked(text, asked, canvas, model)
        for name, text in said.items()
    )
    return combined(change, keep, canvas.size)


def given_masks(asked: dict[str, Any]) -> dict[str, Image.Image]:
    """Take masks that are pictures or arrays out of what was asked for; paths become text.

    Raises:
        ConfigurationError: for what is neither.
    """
    given = dict[str, Image.Image]()
    for name in ("keep", "change"):
        mask = asked.get(name, "")
        if isinstance(mask, PathLike):
            asked[name] = str(mask)
        elif not isinstance(mask, str | None):
            given[name] = as_image(asked.pop(name), name)
    return given


def _picked(said: str, asked: Asked, canvas: Canvas, model: Model) -> Picked | None:
    if not said:
        return None
    if is_file(said):
        return read_mask(said, canvas.size)
    return read_class(asked.map, said, canvas.size) if asked.map else looked_for(said, asked, canvas, model)


def mask_image(picked: Picked) -> Image.Image:
    """Return what may change as a picture: white."""
    return Image.fromarray(picked.mask.astype(np.uint8) * 255)


def around(canvas: Canvas, margin: float) -> tuple[Canvas, Picked]:
    """Return a larger canvas, its edge repeated outwards, and the mask of what was added.

    Raises:
        ConfigurationError: if it would be too large to be held.
    """
    pad = max(1, round(margin * max(canvas.size)))
    wide, high = canvas.size
    if (wide + 2 * pad) * (high + 2 * pad) > MOST:
        what = f"{wide + 2 * pad:,} × {high + 2 * pad:,} pixels with a margin of {margin:g}; at most {MOST:,} in all"
        raise ConfigurationError(f"{what} are held in memory", hint="a smaller --margin, or a smaller picture")
    colour = np.pad(np.asarray(canvas.colour), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    alpha = None if canvas.alpha is None else np.pad(np.asarray(canvas.alpha), pad)
    mask = np.ones(colour.shape[:2], np.bool_)
    mask[pad : pad + high, pad : pad + wide] = False
    larger = Canvas(
        Image.fromarray(colour), None if alpha is None else Image.fromarray(alpha), canvas.profile, canvas.notes
    )
    return larger, Picked(mask)


def still_of(work: Work, row: How) -> torch.Tensor:
    """Return what the model makes of what it sees when nothing is changed, (1, C, H, W): its coder's; else the same."""
    family, x = work.model.family, work.x
    if denoises(work.model):
        space = space_of(family)
        return space.leave(space.enter(x)) if isinstance(family, Latent) else x
    if not isinstance(family, Encodes):
        return x
    x = x.to(work.model.device)
    if not row.recodes:
        return moved(family, x, torch.zeros((), device=x.device))
    was = work.said(work.asked.was, 1, **dict.fromkeys(work.asked.said))
    return recoded(family, x, was, was)
