"""Pixels of any depth and mode → 8 bits at the size asked. Pure functions of Pillow pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Policy = Literal["crop", "pad", "squash"]
POLICIES: tuple[Policy, ...] = ("crop", "pad", "squash")
LANCZOS, NEAREST, BOX = Image.Resampling.LANCZOS, Image.Resampling.NEAREST, Image.Resampling.BOX
SHRINK = 3.0  # `reducing_gap`: average whole pixels down to three times the size first, which is much faster
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Ask:
    """What to make of a picture.

    Attributes:
        size: side in pixels.
        policy: "crop" the middle square, "pad" to a square with white, or "squash" the sides to one length.
        channels: 3 (RGB, or RGBA where something is transparent) or 1 (grey, on white).
        over: "" for a picture itself; for a map that lies over one, "exact" if its values are classes that must not
            mix, or "smooth" (depth, edges). A map has 1 channel, or 3 if it is coloured, whatever `channels` says.
    """

    size: int
    policy: Policy = "crop"
    channels: int = 3
    over: Literal["", "exact", "smooth"] = ""


class RefusedError(Exception):
    """A picture that is not used: `args` are the reason, in words that are always the same, and the detail."""


def eight_bits(image: Image.Image) -> Image.Image:
    """Bring any mode to RGB, or to RGBA if a pixel is transparent.

    Raises:
        RefusedError: for floats whose range nobody can know.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _to_bytes(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "La", "RGBa", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        lowest: Any = image.getchannel("A").getextrema()[0]
        return image if lowest < 255 else image.convert("RGB")
    return image.convert("RGB")


def map_values(image: Image.Image, ask: Ask) -> Image.Image:
    """A map's values: colours stay colours, and the classes of an exact map's palette stay numbers."""
    if image.mode == "P" and ask.over == "exact":
        return Image.frombytes("L", image.size, image.tobytes())
    if image.mode in ("L", "1", "F") or image.mode.startswith("I"):
        return _to_bytes(image)
    return image.convert("RGB")


def laid_on(image: Image.Image, grey: int) -> Image.Image:
    """Lay a transparent picture on paper of one grey."""
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGBA", image.size, (grey, grey, grey, 255))
    return Image.alpha_composite(paper, image).convert("RGB")


def finished(image: Image.Image, ask: Ask) -> Pixels:
    """Bring an 8-bit picture, or a map's values, to (size, size, C)."""
    if ask.over:
        return _array(fitted(image, ask, NEAREST if ask.over == "exact" else LANCZOS, 0))
    if ask.channels == 1:
        image = laid_on(image, 255).convert("L")
    return _array(fitted(image, ask, LANCZOS, 255))


def fitted(image: Image.Image, ask: Ask, kernel: Image.Resampling, fill: int) -> Image.Image:
    """Bring a picture to (size, size) by the policy; `fill` is what a padded picture stands on."""
    width, height = image.size
    square = (ask.size, ask.size)
    gap = None if kernel == NEAREST else SHRINK
    if ask.policy == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return image.resize(square, kernel, (left, top, left + side, top + side), reducing_gap=gap)
    if ask.policy == "squash":
        return image.resize(square, kernel, reducing_gap=gap)
    scale = ask.size / max(width, height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    bands = len(image.getbands())
    paper = Image.new(image.mode, square, fill if bands == 1 else (fill,) * bands)
    paper.paste(image.resize((wide, high), kernel, reducing_gap=gap), ((ask.size - wide) // 2, (ask.size - high) // 2))
    return paper


def content_of(image: Image.Image) -> str:
    """Hash of the decoded pixels: the same picture in two formats has one content."""
    digest = hashlib.blake2b(f"{image.mode} {image.size} ".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()


def look_of(image: Image.Image) -> int:
    """64-bit difference hash of an RGB picture: is each of 8 × 8 places brighter than its right neighbour?"""
    grey = np.asarray(image.convert("L").resize((9, 8), BOX, reducing_gap=SHRINK), np.int16)
    return int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")


def thumb_of(image: Image.Image) -> bytes:
    """(8, 8, 3) bytes of an RGB picture."""
    return image.resize((8, 8), BOX, reducing_gap=SHRINK).tobytes()


def _to_bytes(image: Image.Image) -> Image.Image:
    """One channel of any depth → 8 bits."""
    if image.mode in ("1", "L"):
        return image.convert("L")
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F":
        if not (low >= 0 and high <= 255):  # also where they are not numbers
            raise RefusedError("float without a range", f"values {low:g} … {high:g}, expected 0 … 1 or 0 … 255")
        return Image.fromarray((values * (255 if high <= 1 else 1)).round().astype(np.uint8))
    deep = image.mode.startswith("I;16") or high > 255
    return Image.fromarray((values.clip(0, 65535) / (257 if deep else 1)).round().astype(np.uint8))


def _array(image: Image.Image) -> Pixels:
    array = np.asarray(image, np.uint8)
    return array if array.ndim == 3 else array[:, :, None]
