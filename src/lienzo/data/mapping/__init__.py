"""Maps of a user's own pictures: line art by ourselves; depth, segmentation and pose by models that the user has."""

from __future__ import annotations

from lienzo.data.mapping.folder import Made, Maker, make_maps
from lienzo.data.mapping.lines import line_art
from lienzo.data.mapping.models import MODELS

__all__ = ["MODELS", "Made", "Maker", "line_art", "make_maps"]
