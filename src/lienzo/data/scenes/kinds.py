"""Which emoji may stand in a scene, how often, and what kind of thing each is."""

from __future__ import annotations

import re

KINDS: dict[str, tuple[float, str, str]] = {
    "animal-mammal": (16, "animal", "animal"), "animal-bird": (6, "bird", "pájaro"),
    "animal-reptile": (2.5, "reptile", "reptil"), "animal-amphibian": (0.7, "frog", "rana"),
    "animal-marine": (2, "sea animal", "animal marino"), "animal-bug": (1.5, "small animal", "animal pequeño"),
    "plant-flower": (3, "flower", "flor"), "plant-other": (4.5, "plant", "planta"),
    "place-building": (11, "building", "edificio"), "place-religious": (2, "building", "edificio"),
    "place-other": (2.5, "structure", "construcción"), "place-geographic": (1, "mountain", "montaña"),
    "transport-ground": (10, "vehicle", "vehículo"), "transport-air": (1.5, "flying machine", "aparato volador"),
    "transport-water": (1.5, "boat", "barco"), "hotel": (0.3, "object", "objeto"),
    "food-fruit": (3, "fruit", "fruta"), "food-vegetable": (1.5, "vegetable", "verdura"),
    "food-prepared": (3, "dish", "plato"), "food-asian": (1, "dish", "plato"), "food-sweet": (2, "dessert", "postre"),
    "drink": (1.5, "drink", "bebida"), "dishware": (0.3, "piece of tableware", "objeto de mesa"),
    "event": (2.5, "party thing", "objeto de fiesta"), "game": (1.5, "toy", "juguete"),
    "sport": (2, "piece of sports gear", "objeto deportivo"), "arts-crafts": (0.5, "work of art", "obra de arte"),
    "award-medal": (0.4, "prize", "premio"), "clothing": (2, "piece of clothing", "prenda de ropa"),
    "musical-instrument": (1.5, "musical instrument", "instrumento musical"),
    "music": (0.4, "device", "aparato"), "light-video": (1, "device", "aparato"),
    "computer": (0.8, "device", "aparato"), "phone": (0.4, "telephone", "teléfono"),
    "household": (1.5, "household thing", "objeto de casa"),
    "tool": (1, "tool", "herramienta"), "book-paper": (0.7, "thing of paper", "objeto de papel"),
    "mail": (0.6, "thing of paper", "objeto de papel"), "science": (0.4, "instrument", "instrumento"),
    "medical": (0.2, "medical thing", "objeto médico"), "other-object": (0.4, "object", "objeto"),
    "person": (4, "person", "persona"), "person-role": (6, "person", "persona"),
    "person-activity": (4, "person", "persona"), "person-sport": (3, "person", "persona"),
    "person-gesture": (1.5, "person", "persona"), "person-resting": (0.4, "person", "persona"),
    "person-fantasy": (3.5, "fantasy figure", "figura fantástica"), "family": (1, "couple", "pareja"),
    "cat-face": (0.7, "cat", "gato"), "monkey-face": (0.2, "monkey", "mono"),
    "face-smiling": (0.5, "face", "cara"), "face-affection": (0.2, "face", "cara"), "face-hat": (0.2, "face", "cara"),
    "face-glasses": (0.2, "face", "cara"), "face-costume": (0.4, "face", "cara"),
}  # fmt: skip
"""Subgroup → (how often of all things, its kind in English, in Spanish). What is not here never stands in a scene."""

TREES = re.compile(r"\btree$|^palm tree|^leafless tree", re.IGNORECASE)
BEHIND = frozenset({"animal-mammal", "plant-other", "place-building", "transport-ground", "person", "plant-flower"})
"""Subgroups that are twice as frequent among the things that stand behind the main one."""

_OUT = (
    # pictures of a whole landscape, mostly framed
    "foggy", "night with stars", "sunrise over mountains", "sunrise", "cityscape at dusk", "sunset", "bridge at night",
    "cityscape", "hot springs", "camping", "beach with umbrella", "desert", "desert island", "national park",
    "landslide",
    # parts and signs
    "paw prints", "pig nose", "feather", "wing", "spider web", "fallen leaf", "leaf fluttering in wind", "maple leaf",
    "construction", "police car light", "stop sign", "motorway", "railway track", "wheel", "anchor", "seat",
    "airplane departure", "airplane arrival", "fireworks", "sparkler", "party popper", "confetti ball", "sparkles",
    "moon viewing ceremony", "reminder ribbon", "ribbon", "spade suit", "club suit", "heart suit", "diamond suit",
    "level slider", "control knobs", "musical note", "musical notes", "low battery", "knot", "link", "chains",
    "broken chain", "bell with slash", "no mobile phones", "mobile phone with arrow", "person with skullcap",
    "drop of blood", "dna", "x-ray", "pouring liquid", "cooking", "microbe", "identification card", "coffin",
    "person in bed", "person taking bath", "elevator", "e-mail", "incoming envelope", "envelope with arrow",
    "nazar amulet", "hamsa", "film frames", "page with curl", "page facing up", "bookmark tabs", "satellite",
    "performing arts", "flower playing cards", "mahjong red dragon", "cigarette", "breast-feeding", "wood",
    "star-struck", "rolling on the floor laughing",
)  # fmt: skip
NEVER = frozenset(_OUT)
"""English captions of pictures that cannot stand on the ground."""

FACES = frozenset({
    "face-smiling", "face-tongue", "face-affection", "face-glasses", "face-sleepy", "face-neutral-skeptical",
    "face-concerned", "face-hat",
})  # fmt: skip
NO_HEADS = frozenset({
    "baby", "melting face", "rolling on the floor laughing", "upside-down face", "face in clouds", "money-mouth face",
    "star-struck", "dotted line face", "face blowing a kiss", "disguised face", "face exhaling",
})  # fmt: skip
"""English captions of faces that are more, or less, than a head."""


def is_head(subgroup: str, caption: str, style: str) -> bool:
    """Tell whether an emoji may be the head of a figure.

    >>> is_head("person", "woman", "noto"), is_head("person", "woman: bald", "noto"), is_head("face-hand", "?", "noto")
    (True, False, False)
    """
    if not caption or caption in NO_HEADS:
        return False
    with_shoulders = style == "noto" and ":" in caption and "beard" not in caption
    return subgroup in FACES or (subgroup == "person" and not with_shoulders)


def stands(subgroup: str | None, caption: str) -> bool:
    """Tell whether an emoji may stand in a scene.

    >>> stands("animal-mammal", "dog"), stands("animal-mammal", "paw prints"), stands("time", "watch")
    (True, False, False)
    """
    return subgroup in KINDS and bool(caption) and caption not in NEVER


def kind_of(subgroup: str, caption: str) -> tuple[str, str]:
    """Return what kind of thing it is, in English and Spanish, in the singular and without an article.

    >>> kind_of("place-building", "house"), kind_of("plant-other", "palm tree")
    (('building', 'edificio'), ('tree', 'árbol'))
    """
    if TREES.search(caption):
        return "tree", "árbol"
    return KINDS[subgroup][1:]
