"""What a user may say (label, text, image, map, mask) → the three channels that a network can hear."""

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import Bus
from lienzo.conditions.image import ImageCondition
from lienzo.conditions.label import LabelCondition
from lienzo.conditions.maps import CodedCondition, MapCondition
from lienzo.conditions.text import TextCondition

__all__ = [
    "Bus", "Channels", "CodedCondition", "Condition", "ImageCondition", "LabelCondition", "MapCondition", "Sizes",
    "TextCondition",
]  # fmt: skip
