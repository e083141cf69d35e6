"""Pictures: an SVG or a larger picture becomes 64 × 64 RGBA, and pixels become bytes."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SIZE = 64
BLANK = 32  # a picture whose alpha nowhere reaches this shows nothing
Pixels = npt.NDArray[np.uint8]


def svg(source: str, *, size: int = SIZE, crisp: bool = False) -> Pixels:
    """An SVG as (size, size, 4) straight-alpha RGBA; art that is not square is centred. `crisp`: no antialiasing."""
    import resvg_py

    shapes: Any = "crisp_edges" if crisp else "geometric_precision"
    png = resvg_py.svg_to_bytes(
        svg_string=source, width=size, height=size, skip_system_fonts=True, shape_rendering=shapes
    )
    return _square(Image.open(io.BytesIO(bytes(png))).convert("RGBA"), size)


def picture(source: bytes, *, size: int = SIZE) -> Pixels:
    """A raster picture as (size, size, 4) RGBA: Lanczos, on premultiplied colour, so that no dark rim appears."""
    image = Image.open(io.BytesIO(source)).convert("RGBA")
    scale = size / max(image.size)
    shape = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return _square(image.resize(shape, Image.Resampling.LANCZOS), size)


def _square(image: Image.Image, size: int) -> Pixels:
    if image.size != (size, size):
        whole = Image.new("RGBA", (size, size))
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        whole.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
        image = whole
    return np.asarray(image)


def is_blank(pixels: Pixels) -> bool:
    """Whether nothing is to be seen."""
    return int(pixels[..., 3].max()) < BLANK


def ink(pixels: Pixels) -> Pixels:
    """How much ink (H, W) an RGBA drawing puts on white paper: 0 where there is none, 255 where it is black."""
    darkness = 255 - pixels[..., :3].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return np.rint(darkness * pixels[..., 3] / 255).astype(np.uint8)


def webp(pixels: Pixels) -> bytes:
    """Lossless WebP. Colour under full transparency is not kept (it comes back black)."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", lossless=True, quality=100, method=5, exact=False)
    return stream.getvalue()


def png(values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], *, bits: int | None = None) -> bytes:
    """A grey map (H, W) as PNG, as deep as its type; with `bits=1` any value above 0 becomes white."""
    stream = io.BytesIO()
    image = Image.fromarray(values > 0) if bits == 1 else Image.fromarray(values)
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
