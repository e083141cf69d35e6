"""Line art of any picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from lienzo.data.edges import edges

BLUR = 1.0  # pixels, before edges are looked for
WEAK, STRONG = 0.84, 0.94  # shares of all pixels that change less than where an edge is followed, and where one begins
LEAST = (4.0, 8.0)  # the same as changes: what is fainter is noise, however flat the picture


def line_art(image: Image.Image) -> Image.Image:
    """Trace the edges of an RGB picture: white on black, one pixel wide, in mode "L".

    How steep an edge must be is told from the picture's own changes, so that faint pictures have lines too.
    """
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR)), np.float32)
    change = np.hypot(*np.gradient(pixels.mean(2))) if min(image.size) > 1 else np.zeros(1)
    low, high = (max(least, float(q)) for least, q in zip(LEAST, np.quantile(change, (WEAK, STRONG)), strict=True))
    return Image.fromarray(edges(pixels, low=low, high=high).astype(np.uint8) * 255)
