"""From words to a mask: by the finder that ships where a model draws what it knows, else by the model's own guess."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from lienzo.api.edit.asked import Asked
from lienzo.api.edit.told import denoises
from lienzo.api.edit.work import heard
from lienzo.api.model import Model
from lienzo.api.view import recipe_in
from lienzo.core import CapabilityError, ConfigurationError, Streams
from lienzo.data.concatenated import parts_of
from lienzo.editing import Canvas, Picked, Region, guessed, load_finder, looked_at, region_of, space_of
from lienzo.editing.finding import FOUND, NAME
from lienzo.editing.guessing import THRESHOLD
from lienzo.editing.masks import Mask
from lienzo.editing.paste import BAND, enlarged
from lienzo.evaluation.shipped import is_there

DRAWINGS = frozenset({"emoji", "emoji-poses", "openmoji-maps", "scenes", "combinations", "edits"})
"""Sources whose pictures are like those that the finder has learnt from."""
HINT = "a mask's file, or --map FILE with the names of its classes"


def looked_for(words: str, asked: Asked, canvas: Canvas, model: Model) -> Picked:
    """Return where words are, looked for in the whole picture.

    The finder that ships knows drawings like emoji, and is asked where the model has learnt from nothing else. What it
    does not find, or may not be asked for, the model guesses.

    Raises:
        LienzoError: if there is nobody to ask.
    """
    shape = model.family.shape
    region = region_of(canvas.size, None, (shape[2], shape[1]))
    x = looked_at(canvas, region, shape)
    how, mask = f"found by {NAME}", np.zeros(canvas.size[::-1], np.bool_)
    if draws_emoji(model) and is_there(NAME):
        mask = _enlarged(load_finder().find(x, [words])[0], region, canvas, FOUND)
    if not mask.any():
        how, mask = f"guessed by {model.name}", _enlarged(_matters(words, asked, x, model), region, canvas, THRESHOLD)
    note = f"where {words!r} is was {how}: {mask.mean():.0%} of the picture; look at the mask"
    return Picked(mask, (note,), guess=True)


def draws_emoji(model: Model) -> bool:
    """Tell whether a model has learnt from built-in drawings alone, as its recipe says."""
    source = str(recipe_in(model.folder).get("data", {}).get("source", ""))
    names = [name.partition(":")[0] for name, _ in parts_of(source)] if source else []
    return bool(names) and DRAWINGS.issuperset(names)


def _matters(words: str, asked: Asked, x: Tensor, model: Model) -> Tensor:
    """Ask the model where words matter, (1, H, W) in [0, 1]."""
    if "text" not in model.bus.names:
        raise ConfigurationError(f"{model.name} hears no words, so it cannot look for {words!r}", hint=HINT)
    if not denoises(model):
        what = f"{model.name} cannot look for {words!r}: only a family that denoises can tell where words matter"
        raise CapabilityError(what, hint=HINT)
    said, unsaid = (heard(model, {"text": text, **asked.said}, 1) for text in (words, None))
    return guessed(space_of(model.family), x, said, unsaid, streams=Streams(asked.seed, [0], name="guess"))[0]


def _enlarged(share: Tensor, region: Region, canvas: Canvas, least: float) -> Mask:
    """Return where a share (1, h, w) of what the model sees is above the least, at the picture's size, (H, W)."""
    wide, high = canvas.size
    bands = ((0, top, wide, min(top + BAND, high)) for top in range(0, high, BAND))
    return np.concatenate([enlarged(2 * share - 1, region.frame, band)[..., 0] > 255 * least for band in bands])
