"""What a user may say (label, text, image, map, mask) → the three channels that a network can hear."""

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import Bus
from lienzo.conditions.image import ImageCondition, MapCondition
from lienzo.conditions.label import LabelCondition
from lienzo.conditions.text import TextCondition

__all__ = ["Bus", "Channels", "Condition", "ImageCondition", "LabelCondition", "MapCondition", "Sizes", "TextCondition"]
