"""From --keep and --change to one mask: a file, a class of a map, or words that the model looks for."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from lienzo.api.edit_asked import Asked
from lienzo.api.edit_hows import heard
from lienzo.api.model import Model
from lienzo.core import ConfigurationError, Streams
from lienzo.editing import Canvas, Picked, combined, guessed, looked_at, read_class, read_mask, region_of, space_of
from lienzo.editing.guessing import THRESHOLD
from lienzo.editing.masks import is_file
from lienzo.editing.region import enlarged
from lienzo.families.latent import Latent


def mask_of(asked: Asked, canvas: Canvas, model: Model) -> Picked | None:
    """Return what may change, or None where nothing was said about it.

    Raises:
        LienzoError: for a mask that cannot be read or does not fit, or masks that leave nothing to do.
    """
    change, keep = (_picked(said, asked, canvas, model) for said in (asked.change, asked.keep))
    return combined(change, keep, canvas.size)


def _picked(said: str, asked: Asked, canvas: Canvas, model: Model) -> Picked | None:
    if not said:
        return None
    if is_file(said):
        return read_mask(said, canvas.size)
    return read_class(asked.map, said, canvas.size) if asked.map else _guessed(said, asked, canvas, model)


def _guessed(words: str, asked: Asked, canvas: Canvas, model: Model) -> Picked:
    """Ask the model where words matter, on the whole picture."""
    if "text" not in model.bus.names:
        hint = "a mask's file, or --map FILE with the names of its classes"
        raise ConfigurationError(f"{model.name} hears no words, so it cannot look for {words!r}", hint=hint)
    region = region_of(canvas.size, None, model.family.shape[2])
    x, streams = looked_at(canvas, region, model.family.shape), Streams(asked.seed, [0], name="guess")
    said, unsaid = (heard(model, {"text": text, **asked.said}, 1) for text in (words, None))
    matters = guessed(space_of(model.family), x, said, unsaid, streams=streams)[0].repeat(3, 1, 1)
    wide, high = canvas.size
    mask = enlarged(2 * matters - 1, region.side)[:high, :wide, 0] > 255 * THRESHOLD
    note = f"where {words!r} is was guessed by {model.name}: {mask.mean():.0%} of the picture; look at the mask"
    return Picked(np.ascontiguousarray(mask), (note,), guess=True)


def mask_image(picked: Picked) -> Image.Image:
    """Return what may change as a picture: white."""
    return Image.fromarray(picked.mask.astype(np.uint8) * 255)


def around(canvas: Canvas, margin: float) -> tuple[Canvas, Picked]:
    """Return a larger canvas, its edge repeated outwards, and the mask of what was added."""
    pad = max(1, round(margin * max(canvas.size)))
    wide, high = canvas.size
    colour = np.pad(np.asarray(canvas.colour), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    alpha = None if canvas.alpha is None else np.pad(np.asarray(canvas.alpha), pad)
    mask = np.ones(colour.shape[:2], np.bool_)
    mask[pad : pad + high, pad : pad + wide] = False
    larger = Canvas(
        Image.fromarray(colour), None if alpha is None else Image.fromarray(alpha), canvas.profile, canvas.notes
    )
    return larger, Picked(mask)


def still_of(model: Model, x: torch.Tensor) -> torch.Tensor:
    """Return what the model's coder makes of pictures when nothing is changed; without a coder, these."""
    if not isinstance(model.family, Latent):
        return x
    space = space_of(model.family)
    return space.leave(space.enter(x))
