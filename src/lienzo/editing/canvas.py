"""The picture that is edited, at its own size: colours of 8 bits, transparency apart, and what had to be converted."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from lienzo.core import DataError
from lienzo.data.decode import FORMATS, ORIENTATION
from lienzo.data.pixels import RefusedError, eight_bits

MOST = 64_000_000  # pixels that are held in memory: four bytes each, three times


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
        return _canvas(picture, str(picture.format or "the picture"))
    path = Path(picture).expanduser()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=_known()) as image:
                return _canvas(image, str(path))
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"there is no file {path}", hint="the path of a PNG, JPEG or WebP picture") from None
    except Image.DecompressionBombError:
        raise _too_large(path) from None
    except (OSError, ValueError, SyntaxError, RefusedError) as error:
        reason = getattr(error, "strerror", None) or "it is no picture, or damaged"
        raise DataError(f"cannot read {path}: {reason}", hint="a PNG, JPEG, WebP, TIFF or GIF picture") from None


def _canvas(image: Image.Image, name: str) -> Canvas:
    if image.width * image.height > MOST:
        raise _too_large(name, image.size)
    notes, deep = list[str](), _deep(image)
    if getattr(image, "is_animated", False):
        notes.append("animated: its first picture was edited, the rest left out")
    profile: bytes = image.info.get("icc_profile") or b""
    mode, image = image.mode, _upright(image, notes)
    if deep:
        notes.append("16 bits a channel: converted to 8")
    if mode in ("CMYK", "YCbCr", "LAB"):
        image, profile = _from_print(image, profile, notes), b""
        notes.append(f"{mode}: converted to RGB")
    elif mode in ("P", "PA"):
        notes.append("palette: converted to full colour")
    elif mode in ("1", "L", "LA"):
        notes.append("grey: written in colour, every kept pixel with three equal channels")
        profile = b""  # a profile of grey says nothing about colour
    image = eight_bits(image)
    if profile:
        notes.append("colour profile: kept; the model takes the numbers as sRGB")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if alpha is not None:
        notes.append("transparent: kept so outside the change, opaque within")
    return Canvas(image.convert("RGB") if alpha is None else _colours(image), alpha, profile, tuple(notes))


def _colours(image: Image.Image) -> Image.Image:
    """Return the colours of RGBA as they are, also where they are hidden."""
    return Image.merge("RGB", image.split()[:3])


def _deep(image: Image.Image) -> bool:
    tiles = getattr(image, "tile", ())
    return image.mode.startswith(("I", "F")) or any(";16" in str(t[3]) and "BGR" not in str(t[3]) for t in tiles)


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return a picture turned as its EXIF block says, loaded, without the block."""
    turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
    image.load()
    if not turned:
        return image
    notes.append("turned upright, as its EXIF block says")
    return ImageOps.exif_transpose(image)


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


def _known() -> list[str]:
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
