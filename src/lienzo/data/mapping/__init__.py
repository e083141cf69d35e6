"""Maps of a user's own pictures: edges and line art by ourselves; the rest by models that the user has."""

from __future__ import annotations

from lienzo.data.mapping.folder import Made, Maker, make_maps
from lienzo.data.mapping.lines import edge_map, line_art
from lienzo.data.mapping.models import MODELS

__all__ = ["MODELS", "Made", "Maker", "edge_map", "line_art", "make_maps"]
