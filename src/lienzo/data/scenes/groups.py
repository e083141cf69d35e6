"""The classes of a scene's segmentation: sky, ground, and groups of things."""

from __future__ import annotations

GROUPS = ("sky", "ground", "building", "animal", "person", "vehicle", "plant", "food", "other")
"""Class numbers are places in this list."""
COLOURS: dict[str, tuple[int, int, int]] = {
    "sky": (134, 190, 240), "ground": (150, 120, 84), "building": (200, 64, 56), "animal": (250, 170, 30),
    "person": (220, 20, 160), "vehicle": (30, 60, 190), "plant": (50, 160, 60), "food": (245, 230, 60),
    "other": (128, 128, 128),
}  # fmt: skip
"""The palette in which segmentations are shown."""
SKY, GROUND, PERSON, OTHER = (GROUPS.index(name) for name in ("sky", "ground", "person", "other"))
_BY_PREFIX = (
    ("place-building", "building"), ("place-religious", "building"), ("animal-", "animal"), ("cat-face", "animal"),
    ("monkey-face", "animal"), ("person", "person"), ("family", "person"), ("transport-", "vehicle"),
    ("plant-", "plant"), ("food-", "food"), ("drink", "food"),
)  # fmt: skip
_BY_CAPTION = {
    **dict.fromkeys(("circus tent", "tent", "hotel", "love hotel"), "building"),
    **dict.fromkeys(("brick", "rock", "building construction", "coral", "spiral shell", "rosette"), "other"),
    **dict.fromkeys(("bus stop", "fuel pump", "horizontal traffic light", "vertical traffic light", "oil drum",
                     "ring buoy", "roller skate", "parachute"), "other"),
    **dict.fromkeys(("empty nest", "nest with eggs", "teapot"), "other"),
    **dict.fromkeys(("Christmas tree", "tanabata tree", "pine decoration"), "plant"),
}  # fmt: skip
"""Things that belong elsewhere than the rest of their subgroup."""


def group_of(subgroup: str, caption: str) -> int:
    """Return the class number of a thing.

    >>> GROUPS[group_of("place-building", "house")], GROUPS[group_of("transport-ground", "fuel pump")]
    ('building', 'other')
    """
    name = _BY_CAPTION.get(caption) or next((g for prefix, g in _BY_PREFIX if subgroup.startswith(prefix)), "other")
    return GROUPS.index(name)
