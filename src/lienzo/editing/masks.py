"""What may change and what is kept: mask files, classes of a map, and both together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.conditions.reading import class_numbers
from lienzo.core import DataError
from lienzo.editing.canvas import MOST, guarded, known_formats, upright
from lienzo.editing.naming import classes_meant

Mask = NDArray[np.bool_]  # (H, W)
NAMES = "names"  # of a map's classes: a text of its PNG, or FILE.json beside it


@dataclass(frozen=True)
class Picked:
    """Pixels that somebody named.

    Attributes:
        mask: (H, W).
        notes: what had to be converted, or that it is a guess.
        guess: whether a model guessed it from words.
    """

    mask: Mask
    notes: tuple[str, ...] = ()
    guess: bool = False


def is_file(said: str) -> bool:
    """Tell whether --keep or --change means a file: there is one, or it ends like one."""
    path = Path(said).expanduser()
    return path.is_file() or path.suffix.lower() in (".png", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif")


def read_mask(file: Path | str | Image.Image, size: tuple[int, int]) -> Picked:
    """Read a mask: what is bright (or, in a picture without colours, opaque) is meant.

    Args:
        file: a picture.
        size: width and height of the picture that it lies over. A mask of the same proportions is brought to it.

    Raises:
        DataError: for no picture, or one of other proportions.
    """
    image = _opened(file)
    name, notes = str(file) if not isinstance(file, Image.Image) else "the mask", list[str]()
    grey = _brightness(image)
    if grey.getextrema() == (0, 1):
        notes.append(f"{name}: its brightest value is 1 of 255; 1 is what is meant")
        grey = grey.point(lambda value: 255 * value)
    if grey.size != size:
        notes.append(_proportioned(name, grey.size, size))
        grey = grey.resize(size, Image.Resampling.NEAREST)
    values = np.asarray(grey)
    between = float(((values > 31) & (values < 224)).mean())
    if between > 0.02:
        notes.append(f"{name}: {between:.0%} of it is neither black nor white; from half grey on it is meant")
    return Picked(values > 127, tuple(notes))


def read_class(file: Path | str, words: str, size: tuple[int, int]) -> Picked:
    """Return where a segmentation map has a class, or several.

    The map holds a class number a pixel (grey or palette). Its names are a JSON list or {number: name}: the text
    "names" of the PNG, or FILE.json beside it.

    Args:
        file: the map.
        words: of `classes_meant`.
        size: width and height of the picture; a map of the same proportions is brought to it.

    Raises:
        DataError: for a map without names, of colours, of other proportions, or without a pixel of that class.
        ConditionError: for a class that it does not have.
    """
    image, path = _opened(file), Path(file).expanduser()
    names = _names(image, path)
    numbers, notes = classes_meant(words, names)
    classes = class_numbers(image)
    if classes is None:
        raise DataError(f"{path} is a map of colours, not of class numbers",
                        hint="an 8-bit grey or palette PNG whose values are classes")  # fmt: skip
    if not np.isin(classes, numbers).any():
        there = ", ".join(name for number, name in names.items() if (classes == number).any()) or "none that has a name"
        what = " or ".join(repr(names[number]) for number in numbers)
        what = f"no pixel of the map {path} is {what}, which {words!r} means"
        raise DataError(what, hint=f"what it shows is {there}")
    meant = Image.fromarray(np.isin(classes, numbers).astype(np.uint8) * 255)
    if meant.size != size:
        notes.append(_proportioned(f"the map {path}", meant.size, size))
        meant = meant.resize(size, Image.Resampling.NEAREST)
    return Picked(np.asarray(meant) > 0, tuple(notes))


def _proportioned(name: str, own: tuple[int, int], size: tuple[int, int]) -> str:
    """Say that something was brought to the picture's size.

    Raises:
        DataError: for other proportions.
    """
    wide, high = size
    if abs(own[0] * high - own[1] * wide) > max(wide, high, *own):
        raise DataError(
            f"{name} is {own[0]} × {own[1]}, the picture {wide} × {high}",
            hint="one of the picture's own size, or of the same proportions",
        )
    return f"{name}: brought from {own[0]} × {own[1]} to the picture's size"


def combined(change: Picked | None, keep: Picked | None, size: tuple[int, int]) -> Picked | None:
    """Return what may change: what is named, or everything, without what is kept; None where nothing was said.

    Raises:
        DataError: if a mask is empty, or nothing is left that may change.
    """
    if change is None and keep is None:
        return None
    for what, picked in (("change", change), ("keep", keep)):
        if picked is not None and not picked.mask.any():
            reason = "the model found it nowhere" if picked.guess else "it selects no pixel"
            raise DataError(f"--{what}: {reason}", hint="white (or opaque) is what is meant; black is not")
    allowed = change.mask if change is not None else np.ones(size[::-1], np.bool_)
    mask = allowed & ~keep.mask if keep is not None else allowed
    notes = tuple(note for each in (change, keep) if each is not None for note in each.notes)
    if not mask.any():
        if change is None:
            raise DataError("--keep covers the whole picture: nothing may change", hint="a smaller mask")
        raise DataError("all that --change names, --keep forbids", hint="masks that do not contradict each other")
    if change is not None and keep is not None and not mask[change.mask].all():
        share = 1 - mask.sum() / change.mask.sum()
        notes += (f"--keep and --change both name {share:.0%} of what was to change: it is kept",)
    if mask.all():
        notes += ("the mask covers everything: nothing is kept",)
    return Picked(mask, notes, any(each is not None and each.guess for each in (change, keep)))


def _opened(file: Path | str | Image.Image) -> Image.Image:
    """Return a picture as it is looked at, upright."""
    hint = "a PNG: white is meant, black is not"
    if isinstance(file, Image.Image):
        return guarded(lambda: upright(file)[0], "the mask", hint)
    path = Path(file).expanduser()

    def read() -> Image.Image:
        with Image.open(path, formats=known_formats()) as image:
            if image.width * image.height > 4 * MOST:
                raise DataError(f"the mask {path} is {image.width} × {image.height}", hint="a smaller one")
            return upright(image)[0]

    if not path.exists():
        raise DataError(f"there is no mask {path}", hint=hint)
    return guarded(read, str(path), hint)


def _brightness(image: Image.Image) -> Image.Image:
    """Return what is meant, as grey: the opacity of a cut-out, else the brightness, transparent being black."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image).astype(np.float64)
        most = float(values.max()) or 1.0
        return Image.fromarray((values * (255 / most)).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        whole = image.convert("RGBA")
        alpha, grey = whole.getchannel("A"), whole.convert("L")
        low, high = alpha.getextrema()
        if low == high == 255:
            return grey
        bright = np.asarray(grey)[np.asarray(alpha) > 127]
        plain = bright.size == 0 or bright.min() > 127 or bright.max() < 128  # one tone: the cut-out says it
        return alpha if plain else Image.fromarray(np.minimum(np.asarray(grey), np.asarray(alpha)))
    return image.convert("L")


def _names(image: Image.Image, path: Path) -> dict[int, str]:
    text, beside = str(image.info.get(NAMES, "")), path.with_name(path.name + ".json")
    hint = f'{beside.name} with ["background", "building", …] or {{"1": "building"}}'
    try:
        plain: Any = json.loads(text or beside.read_text(encoding="utf-8"))
        pairs = plain.items() if isinstance(plain, Mapping) else enumerate(plain)
        return {int(number): str(name) for number, name in pairs}
    except (OSError, ValueError, TypeError, AttributeError):
        raise DataError(f"the map {path} has no names of its classes", hint=hint) from None
