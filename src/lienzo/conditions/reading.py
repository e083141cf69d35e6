"""Pictures and maps that people give, as a condition reads them: upright, in 8 bits, on paper, of the right kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lienzo.core import ConditionError

WHITE, BLACK = 255, 0
ORIENTATION = 0x0112  # EXIF
LOOKED_AT = 128  # longer side, in pixels, of what a map's kind is told from
COLOURED, MOST_COLOURED = 32, 0.1  # levels between channels; the share of pixels up to which a map counts as grey
MIDDLE, MOST_MIDDLE = (64, 192), 0.6  # greys that lines have seldom
DARK, LEAST_DARK = 48, 0.5  # what a skeleton stands on


def upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF block says; a broken block says nothing."""
    try:
        return ImageOps.exif_transpose(image) if image.getexif().get(ORIENTATION, 1) != 1 else image
    except Exception:  # readers of EXIF raise whatever they like
        return image


def squared(image: Image.Image, size: int, kernel: Image.Resampling) -> Image.Image:
    """Bring the middle square of a picture to a size, as training does."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize((size, size), kernel, (left, top, left + side, top + side))


def on_paper(image: Image.Image, mode: str, grey: int = WHITE) -> Image.Image:
    """Bring a picture to "L", "RGB" or "RGBA"; unless that keeps it, what is transparent shows paper of one grey."""
    image = _eight_bits(upright(image))
    if mode != "RGBA" and _transparent(image):
        whole = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", whole.size, (grey, grey, grey, 255)), whole)
    return image.convert(mode)


def marks(image: Image.Image) -> Image.Image:
    """Bring lines or a mask to grey: what is transparent is black, and dark ink on nothing is white where it is."""
    image = _eight_bits(upright(image))
    if _transparent(image):
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        seen = np.asarray(alpha) > 127
        if seen.any() and not seen.all() and int(np.asarray(whole.convert("L"))[seen].max()) < 128:
            return alpha
    return on_paper(image, "L", BLACK)


def class_numbers(image: Image.Image) -> NDArray[np.int64] | None:
    """Return the class numbers (H, W) of a segmentation, upright; None where it holds colours in their place.

    They are the values of a grey picture of any depth, the places in a palette, or three equal channels.

    >>> class_numbers(Image.new("RGB", (1, 1), (3, 3, 3))), class_numbers(Image.new("RGB", (1, 1), "red"))
    (array([[3]]), None)
    """
    image = upright(image)
    if image.mode in ("1", "L", "P") or image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    if image.mode == "F":
        return None
    channels = np.asarray(image.convert("RGBA"))[..., :3].astype(np.int64)
    return channels[..., 0] if bool((channels == channels[..., :1]).all()) else None


def map_read(image: Image.Image, kind: str, channels: int) -> Image.Image:
    """Bring a map that somebody gives to 8 bits.

    Args:
        image: as it was opened.
        kind: "depth", "pose", "edges", "mask" or "picture".
        channels: 1, 3 or 4.

    Raises:
        ConditionError: for what is no map of this kind, as far as that can be told.
    """
    mode = {1: "L", 4: "RGBA"}.get(channels, "RGB")
    if kind == "picture":
        return on_paper(image, mode)
    if kind in ("edges", "mask"):
        read = marks(image)
        if kind == "edges":
            _check(image, read, kind)
        return read
    read = on_paper(image, mode, BLACK)
    _check(image, read, kind)
    return read


def light_lines(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn dark lines on white, as people draw them, to white ones on black, as every model hears them."""
    return 255 - planes if int(planes.sum(dtype=np.int64)) > 127 * planes.size else planes


def _check(image: Image.Image, read: Image.Image, kind: str) -> None:
    """Refuse what cannot be such a map: a photograph for nearness or lines, a picture without black for a skeleton."""
    colours, grey = _small(on_paper(image, "RGB", BLACK)), _small(read.convert("L"))
    loud = float((np.ptp(colours, -1) > COLOURED).mean())
    middle = float(((grey > MIDDLE[0]) & (grey < MIDDLE[1])).mean())
    pale = float((grey >= DARK).mean())
    wrong, hint = {
        "depth": (loud > MOST_COLOURED, "a grey map: near is bright, far is dark"),
        "edges": (loud > MOST_COLOURED or middle > MOST_MIDDLE, "lines, white on black or black on white"),
        "pose": (pale > 1 - LEAST_DARK, "a skeleton on black"),
    }[kind]
    if wrong:
        raise ConditionError(f"this picture is no map of {kind}", hint=f"{hint}; `lienzo data maps FOLDER` makes maps")


def _small(image: Image.Image) -> NDArray[np.int64]:
    image = image.copy()
    image.thumbnail((LOOKED_AT, LOOKED_AT), Image.Resampling.NEAREST)
    return np.asarray(image).astype(np.int64)


def _transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring one channel of 16 bits, or of numbers, to 8 bits; everything else is as it was."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values: NDArray[Any] = np.nan_to_num(np.asarray(image).astype(np.float64))
    most = float(values.max(initial=0))
    if image.mode == "F":
        values = values * (255 if most <= 1 else 1)
    elif image.mode.startswith("I;16") or most > 255:
        values = values / 257
    return Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
