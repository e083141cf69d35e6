"""Changing pictures: operations over what a family can do, masks, and the guarantee that what is kept is kept."""

from lienzo.editing.between import between, direction, mixed, moved, through_noise
from lienzo.editing.canvas import Canvas, open_canvas
from lienzo.editing.cutting import laid_over
from lienzo.editing.filling import Known, Way, filled
from lienzo.editing.finding import WordFinder, load_finder
from lienzo.editing.guessing import guessed
from lienzo.editing.inpainting import inpainted
from lienzo.editing.instructing import Pairs, instructed, pairs_of
from lienzo.editing.inversion import inverted, midpoint, regenerated
from lienzo.editing.masks import Picked, combined, read_class, read_mask
from lienzo.editing.measuring import Changes, Met, changes, met, sheet
from lienzo.editing.paste import pasted, put_back
from lienzo.editing.recoding import recoded
from lienzo.editing.redrawing import Walk, redrawn
from lienzo.editing.region import Region, kept_of, looked_at, region_of
from lienzo.editing.seams import soft
from lienzo.editing.settling import settled
from lienzo.editing.space import Space, space_of
from lienzo.editing.upscaling import upscaled

__all__ = [
    "Canvas", "Changes", "Known", "Met", "Pairs", "Picked", "Region", "Space", "Walk", "Way", "WordFinder", "between",
    "changes", "combined", "direction", "filled", "guessed", "inpainted", "instructed", "inverted", "kept_of",
    "laid_over", "load_finder", "looked_at", "met", "midpoint", "mixed", "moved", "open_canvas", "pairs_of", "pasted",
    "put_back", "read_class", "read_mask", "recoded", "redrawn", "regenerated", "region_of", "settled", "sheet",
    "soft", "space_of", "through_noise", "upscaled",
]  # fmt: skip
