"""Recipes: a run written down as a TOML file, checked, overridden, and carried out stage by stage."""

from lienzo.training.recipes.codes import CodeLoader
from lienzo.training.recipes.make import make_bus, make_family, open_data
from lienzo.training.recipes.parts import Codes, Data, Generate, Recipe, Samples
from lienzo.training.recipes.read import overridden, read_recipe
from lienzo.training.recipes.stages import Listeners, carry_out

__all__ = [
    "CodeLoader", "Codes", "Data", "Generate", "Listeners", "Recipe", "Samples", "carry_out", "make_bus", "make_family",
    "open_data", "overridden", "read_recipe",
]  # fmt: skip
