"""Edges and line art of any picture, white on black."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from lienzo.data.edges import edges

BLUR = 1.0  # pixels, before edges are looked for
WEAK, STRONG = 0.84, 0.94  # shares of all pixels that change less than where an edge is followed, and where one begins
LEAST = (4.0, 8.0)  # the same as changes: what is fainter is noise, however flat the picture
FINE, WIDE = 1.0, 1.6  # pixels: of the two Gaussians of line art
FAINT, CLEAR = 3.0, 8.0  # levels by which a pixel is darker than its surroundings: where a line begins, and is white
MOST = 0.9  # share of all pixels that are no clear line, however much a picture's surfaces vary


def edge_map(image: Image.Image) -> Image.Image:
    """Trace the edges of an RGB picture: white on black, one pixel wide, in mode "L" (`lienzo.data.edges`).

    How steep an edge must be is told from the picture's own changes, so that faint pictures have lines too.
    """
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR)), np.float32)
    change = np.hypot(*np.gradient(pixels.mean(2))) if min(image.size) > 1 else np.zeros(1)
    low, high = (max(least, float(q)) for least, q in zip(LEAST, np.quantile(change, (WEAK, STRONG)), strict=True))
    return Image.fromarray(edges(pixels, low=low, high=high).astype(np.uint8) * 255)


def line_art(image: Image.Image) -> Image.Image:
    r"""Draw an RGB picture in lines: white on black, soft at their edges, in mode "L".

    r = max_c (G_w * x_c − G_f * x_c), how much darker a pixel is than its surroundings in any channel: a stroke becomes
    one line, where `edge_map` has one on either side of it, and a surface has a line on its darker side.

    "XDoG: An eXtended difference-of-Gaussians compendium including advanced image stylization" (Winnemöller, 2012),
    eq. 1 and 5, with a ramp for the hyperbolic tangent.
    """
    fine, wide = (np.asarray(image.filter(ImageFilter.GaussianBlur(b)), np.float32) for b in (FINE, WIDE))
    darker = (wide - fine).max(2)
    clear = max(CLEAR, float(np.quantile(darker, MOST)))
    faint = FAINT * clear / CLEAR
    return Image.fromarray((255 * ((darker - faint) / (clear - faint)).clip(0, 1)).round().astype(np.uint8))
