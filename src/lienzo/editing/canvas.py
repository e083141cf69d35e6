"""The picture that is edited, at its own size: colours of 8 bits, transparency apart, and what had to be converted."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageCms, ImageOps
from PIL.ImageFile import ImageFile

from lienzo.core import DataError, LienzoError
from lienzo.data.decode import FORMATS, ORIENTATION, reason_of
from lienzo.data.pixels import eight_bits

MOST = 64_000_000  # pixels that are held in memory: the picture, the result and its copies, four bytes each
WORDS = {
    "truncated": "it is cut off", "out of memory": "there is not enough memory",
    "float without a range": "its numbers are not 0 … 1 or 0 … 255",
}  # fmt: skip
TRANSPARENT = "transparent: kept so, opaque where it is new"
T = TypeVar("T")


@dataclass(frozen=True)
class Canvas:
    """A picture as it is edited.

    Attributes:
        colour: RGB, at the file's own size, upright.
        alpha: L, of the same size; None where nothing is transparent.
        profile: the ICC profile that its numbers are meant in; b"" if none is named.
        notes: what was converted, in words.
    """

    colour: Image.Image
    alpha: Image.Image | None = None
    profile: bytes = b""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.colour.size

    @property
    def seen(self) -> Image.Image:
        """The colours on white paper, as a model sees them."""
        return laid(self.colour, self.alpha)

    def whole(self) -> Image.Image:
        """Return one picture, RGB or RGBA, with its profile."""
        image = self.colour.copy()
        if self.alpha is not None:
            image.putalpha(self.alpha)
        if self.profile:
            image.info["icc_profile"] = self.profile
        return image


def laid(colour: Image.Image, alpha: Image.Image | None) -> Image.Image:
    """Lay a picture on white paper."""
    return colour if alpha is None else Image.composite(colour, Image.new("RGB", colour.size, "white"), alpha)


def open_canvas(picture: Path | str | Image.Image) -> Canvas:
    """Read a picture that is to be edited.

    Raises:
        DataError: for a file that is missing, no picture, damaged or too large to be held.
    """
    if isinstance(picture, Image.Image):
        name = str((isinstance(picture, ImageFile) and picture.filename) or "the picture")
        return guarded(lambda: _canvas(picture, name), name, "a PNG, JPEG, WebP, TIFF or GIF picture")
    path = Path(picture).expanduser()

    def read() -> Canvas:
        with Image.open(path, formats=known_formats()) as image:
            return _canvas(image, str(path))

    return guarded(read, str(path), "a PNG, JPEG, WebP, TIFF or GIF picture")


def guarded(read: Callable[[], T], name: str, hint: str) -> T:
    """Return what reading a picture gives: decoders raise whatever they like.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large file, a broken EXIF block: what matters of it is said below
            return read()
    except LienzoError:
        raise
    except FileNotFoundError:
        raise DataError(f"there is no file {name}", hint=hint) from None
    except Image.DecompressionBombError:
        raise _too_large(name) from None
    except Exception as error:
        reason = getattr(error, "strerror", None) or WORDS.get(reason_of(error)[0], "it is no picture, or damaged")
        raise DataError(f"cannot read {name}: {reason}", hint=hint) from None


def _canvas(image: Image.Image, name: str) -> Canvas:
    if image.width * image.height > MOST:
        raise _too_large(name, image.size)
    notes, deep = list[str](), _deep(image)
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a phone's: one picture, and what helps it
        notes.append("animated: its first picture was edited, the rest left out")
    profile: bytes = image.info.get("icc_profile") or b""
    mode, (image, turned) = image.mode, upright(image)
    if turned:
        notes.append("turned upright, as its EXIF block says")
    if deep:
        notes.append("16 bits a channel: converted to 8")
    if mode in ("CMYK", "YCbCr", "LAB"):
        image, profile = _from_print(image, profile, notes), b""
        notes.append(f"{mode}: converted to RGB")
    elif mode in ("P", "PA"):
        notes.append("palette: converted to full colour")
    elif mode in ("1", "L", "LA", "La", "F") or mode.startswith("I"):
        notes.append("grey: written in colour, every kept pixel with three equal channels")
        profile = b""  # a profile of grey says nothing about colour
    image = eight_bits(image)
    if profile:
        notes.append("colour profile: kept; the model takes the numbers as sRGB")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if alpha is not None:
        notes.append(TRANSPARENT)
    colour = image.convert("RGB") if alpha is None else _colours(image)
    colour.info = {}  # a profile that was dropped would be written with it
    return Canvas(colour, alpha, profile, tuple(notes))


def _colours(image: Image.Image) -> Image.Image:
    """Return the colours of RGBA as they are, also where they are hidden."""
    return Image.merge("RGB", image.split()[:3])


def _deep(image: Image.Image) -> bool:
    tiles = getattr(image, "tile", ())
    return image.mode.startswith(("I", "F")) or any(";16" in str(t[3]) and "BGR" not in str(t[3]) for t in tiles)


def upright(image: Image.Image) -> tuple[Image.Image, bool]:
    """Return a picture turned as its EXIF block says, loaded, without the block, and whether it was turned."""
    image.load()
    try:
        turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
        return (ImageOps.exif_transpose(image), True) if turned else (image, False)
    except Exception:  # a broken block says nothing about the pixels
        return image, False


def _from_print(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """Convert inks to sRGB by the picture's own profile, or roughly without one."""
    if profile:
        try:
            own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            notes.append("its colour profile cannot be used: its colours are rough")
    return image.convert("RGB")


def known_formats() -> list[str]:
    """Return the formats that are read, of those that this build of Pillow has."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _too_large(name: object, size: tuple[int, int] | None = None) -> DataError:
    shape = f"{size[0]:,} × {size[1]:,} pixels" if size else "too many pixels"
    return DataError(
        f"{name} has {shape}; at most {MOST:,} in all are held in memory",
        hint="cut out the part that is to change, edit it, and put it back",
    )


def with_colours(canvas: Canvas, colour: Image.Image, alpha: Image.Image | None) -> Canvas:
    """Return the canvas with other pixels."""
    return replace(canvas, colour=colour, alpha=alpha)
