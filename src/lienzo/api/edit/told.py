"""What a model that changes pictures is told, and which models those are."""

from __future__ import annotations

from lienzo.api.edit.asked import Asked
from lienzo.api.edit.keep import split_keep
from lienzo.api.model import Model
from lienzo.conditions import MapCondition
from lienzo.core import Denoises
from lienzo.editing.masks import is_file
from lienzo.families.latent import Latent

PICTURE, CHANGE = "image", "mask"  # conditions of a family that changes pictures: the picture, and what may change


def denoises(model: Model) -> bool:
    """Tell whether what draws is a family that denoises."""
    family = model.family
    return isinstance(family.inner if isinstance(family, Latent) else family, Denoises)


def instruction(asked: Asked) -> str:
    """Return what a model that has learnt from pairs is told: what is kept too, where words say it."""
    said = not asked.keep or is_file(asked.keep) or bool(split_keep(asked.words)[1])
    return asked.words if said else f"{asked.words}; keep the {asked.keep}"


def changes_pictures(model: Model) -> bool:
    """Tell whether a model hears a picture that shall change (and not one to take after)."""
    return PICTURE in model.bus.names and isinstance(model.bus[PICTURE], MapCondition)
