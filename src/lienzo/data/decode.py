"""One picture file → pixels, or the reason why not. Nothing that a file holds makes it raise.

This module and what it imports know Pillow, numpy and the standard library, no torch: the processes that decode
strangers' files (`lienzo.data.workers`) start in a tenth of a second because of it.
"""

from __future__ import annotations

import io
import stat
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from lienzo.data.pixels import (
    Ask,
    Pixels,
    RefusedError,
    content_of,
    eight_bits,
    finished,
    laid_on,
    look_of,
    map_values,
    thumb_of,
)
from lienzo.data.telling import readable

# Formats whose decoders only decode. EPS would start Ghostscript; rarer ones are seldom fuzzed.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO", "QOI")
LARGEST_FILE = 1 << 30  # bytes
NARROWEST = 1000  # long side : short side beyond which nothing is left of a picture
CUT = ("truncated", "unexpected end", "not enough", "no more data", "broken data stream", "incomplete")
ORIENTATION = 0x0112  # EXIF


@dataclass(frozen=True)
class Decoded:
    """A picture, or why there is none.

    Attributes:
        pixels: (H, W, C) uint8; None if it cannot be used.
        reason, detail: why not: in words that are always the same, and what the decoder said.
        notes: what had to be converted ("16-bit", "EXIF-rotated" …).
        width, height, mode, format: of the file.
        content: hash of the decoded pixels at full size.
        look: 64-bit difference hash.
        thumb: (8, 8, 3) bytes.
    """

    pixels: Pixels | None = None
    reason: str = ""
    detail: str = ""
    notes: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    mode: str = ""
    format: str = ""
    content: str = ""
    look: int = 0
    thumb: bytes = b""


def decode(file: str | bytes, ask: Ask) -> Decoded:
    """Decode one file, given by its path or its bytes."""
    found = Decoded()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image, is_read = _opened(file)
            found = Decoded(width=image.width, height=image.height, mode=image.mode, format=image.format or "")
            _refuse(image, is_read)
            found = replace(found, notes=_notes(image))
            image.load()
            return _finished(found, _upright(image), ask)
    except Exception as error:  # decoders raise whatever they like, and none of it may stop a run
        reason, detail = reason_of(error)
        return replace(found, reason=reason, detail=readable(detail)[:200], notes=())


def reason_of(error: BaseException) -> tuple[str, str]:
    """Put what a decoder raised into words that are always the same, and its own."""
    text = str(error) or type(error).__name__
    low = text.lower()
    if isinstance(error, RefusedError):
        return str(error.args[0]), str(error.args[1])
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning) or "too large" in low:
        return "decompression bomb", text
    if isinstance(error, MemoryError):
        return "out of memory", text
    if isinstance(error, FileNotFoundError | PermissionError):
        return "cannot be opened", error.strerror or text
    cut = isinstance(error, EOFError | struct.error) or any(words in low for words in CUT)
    return ("truncated", text) if cut else ("damaged", f"{type(error).__name__}: {text}")


def _opened(file: str | bytes) -> tuple[Image.Image, bool]:
    """Open a file and tell whether its format is one of those that are read."""
    length = len(file) if isinstance(file, bytes) else _length(file)
    if length == 0:
        raise RefusedError("zero bytes", "the file is empty")
    if length > LARGEST_FILE:
        raise RefusedError("file too large", f"{length >> 20} MiB, at most {LARGEST_FILE >> 20}")
    Image.init()  # a format that is named must have been registered, and a build of Pillow may lack some
    known = [name for name in FORMATS if name in Image.OPEN]
    try:
        return Image.open(_handle(file), formats=known), True
    except UnidentifiedImageError:
        claimed = [name for name in known if _begins_like(name, file)]
        if claimed:
            raise RefusedError("damaged", f"it begins like {claimed[0]}, but its head cannot be read") from None
        return _named(file), False


def _named(file: str | bytes) -> Image.Image:
    """Open a file only to name its format: its pixels are never loaded."""
    try:
        return Image.open(_handle(file))
    except UnidentifiedImageError:
        raise RefusedError("not an image", "no known format begins like this") from None


def _handle(file: str | bytes) -> str | io.BytesIO:
    return io.BytesIO(file) if isinstance(file, bytes) else file


def _begins_like(name: str, file: str | bytes) -> bool:
    if isinstance(file, str):
        with Path(file).open("rb") as opened:
            file = opened.read(16)
    accepts = Image.OPEN[name][1]
    return accepts is not None and accepts(file[:16]) is True


def _length(path: str) -> int:
    about = Path(path).stat()
    if not stat.S_ISREG(about.st_mode):  # reading a pipe would wait for ever
        raise RefusedError("not a file", "a folder, a pipe or a device")
    return about.st_size


def _refuse(image: Image.Image, is_read: bool) -> None:
    if not is_read:
        raise RefusedError("format not read", f"{image.format}: convert it to PNG")
    if min(image.size) < 1 or max(image.size) > NARROWEST * min(image.size):
        raise RefusedError("too narrow", f"{image.width} × {image.height}")


def _notes(image: Image.Image) -> tuple[str, ...]:
    """Tell what will be converted. Asked before the pixels are loaded, while the file's tiles are still described."""
    found = {
        "16-bit": image.mode.startswith("I") or any(";16" in layout for layout in _layouts(image)),
        "float": image.mode == "F",
        image.mode: image.mode in ("CMYK", "YCbCr", "LAB", "HSV"),
        "palette": image.mode in ("P", "PA"),
        "animated": bool(getattr(image, "is_animated", False)) and image.format != "MPO",
        "EXIF-rotated": _orientation(image) != 1,
    }
    return tuple(note for note, holds in found.items() if holds)


def _layouts(image: Image.Image) -> Iterator[str]:
    """How the file stores its pixels: Pillow gives 8-bit modes to colours of 16 bits, and says so only here."""
    tiles: Any = getattr(image, "tile", ())
    for tile in tiles:
        arguments: Any = tile[3] if isinstance(tile[3], tuple | list) else (tile[3],)
        yield from (a for a in arguments if isinstance(a, str) and a not in ("BGR;16", "BGR;15"))  # 16 bits a pixel


def _orientation(image: Image.Image) -> int:
    try:
        value: Any = image.getexif().get(ORIENTATION, 1)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1
    except Exception:  # a broken EXIF block says nothing about the pixels
        return 1


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image) if _orientation(image) != 1 else image


def _finished(found: Decoded, image: Image.Image, ask: Ask) -> Decoded:
    if ask.over:
        return replace(found, pixels=finished(map_values(image, ask), ask))
    image = eight_bits(image)
    plain = laid_on(image, 128)  # on white, a white drawing would look like nothing
    found = replace(found, content=content_of(image), look=look_of(plain), thumb=thumb_of(plain))
    return replace(found, pixels=finished(image, ask))
