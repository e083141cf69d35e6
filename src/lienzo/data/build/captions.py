"""Captions, tags and labels of emoji in English and Spanish, from `emojibase-data` (whose text is Unicode CLDR's)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lienzo.data.build.packages import read

TONES = {1: "light", 2: "medium-light", 3: "medium", 4: "medium-dark", 5: "dark"}
EXCLUDED_GROUPS = frozenset({"", "component", "symbols", "flags"})
PRESENTATION, JOINER, RIGHTWARDS, FEMALE, MALE = "fe0f", "200d", "27a1", "2640", "2642"
WOMEN, MEN, PERSON = frozenset({"1f469", "1f467", "1f475"}), frozenset({"1f468", "1f466", "1f474"}), "1f9d1"
FAMILY, FAMILY_OF_PERSONS = "1f46a", "1f9d1-200d-1f9d1-200d-1f9d2"
ADULTS, CHILDREN = "1f468|1f469|1f9d1", "1f466|1f467|1f9d2"


@dataclass(frozen=True)
class Caption:
    """What is said of one emoji. `base` names the picture without skin tone, gender and direction."""

    codepoints: str
    base: str
    caption_en: str
    caption_es: str
    tags_en: tuple[str, ...]
    tags_es: tuple[str, ...]
    group: str
    subgroup: str
    gender: str
    skin_tone: str

    @property
    def split(self) -> str:
        """'train', 'validation' or 'test', of the base."""
        return split_of(self.base)


def normalise(code: str) -> str:
    """One spelling of a codepoint sequence: lower case, no leading zeros, no emoji-presentation selector."""
    parts = (part.lstrip("0") for part in code.lower().replace("_", "-").split("-"))
    return "-".join(part for part in parts if part and part != PRESENTATION)


def slug(label: str) -> str:
    """A label as the iconify sets spell it in their names: 'ogre’s hat: red' → 'ogres-hat-red'."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub("['’]", "", label.lower())).strip("-")


def split_of(base: str) -> str:
    """90 / 5 / 5 by the sha256 of the base codepoints, so every picture of one emoji falls into one split."""
    place = int.from_bytes(hashlib.sha256(base.encode()).digest()[:8], "big") / 2**64
    return "train" if place < 0.90 else "validation" if place < 0.95 else "test"


def base_of(entry: str, known: frozenset[str]) -> str:
    """The codepoints of the picture that `entry` (already without skin tone) varies.

    Several sets draw a person, a man and a woman with the very same strokes, mirror them for 'facing right', or have
    one pictogram for many families: a split by anything finer would put one picture on both sides. A form without
    these marks is taken only where it exists.
    """
    if re.fullmatch(rf"{FAMILY}|({ADULTS})(-{JOINER}-({ADULTS}))?(-{JOINER}-({CHILDREN}))+", entry):
        return FAMILY_OF_PERSONS
    parts = [part for part in entry.split("-") if part not in (RIGHTWARDS, FEMALE, MALE)]
    plain = re.sub(rf"(-{JOINER})+(?=-{JOINER}|$)", "", "-".join(parts))
    base = plain if plain in known else entry
    first, _, rest = base.partition("-")
    person = f"{PERSON}-{rest}"
    return person if rest and first in ("1f468", "1f469") and person in known else base


def gender_of(code: str, declared: int | None) -> str:
    """'female', 'male', 'mixed' or '': as emojibase declares, else as the codepoints say."""
    if declared is not None:
        return ("female", "male")[declared]
    parts = set(code.split("-"))
    female, male = bool(parts & (WOMEN | {FEMALE})), bool(parts & (MEN | {MALE}))
    return "mixed" if female and male else "female" if female else "male" if male else ""


def tone_of(tone: int | list[int] | None) -> str:
    """'' for the default, 'dark' for one person, 'dark+light' for two."""
    tones = [] if tone is None else [tone] if isinstance(tone, int) else tone
    return "+".join(TONES[t] for t in tones)


def captions(emojibase: Path) -> dict[str, Caption]:
    """Every emoji outside of the excluded groups, by its normalised codepoints, from the `emojibase-data` tarball."""
    english, spanish, messages = (
        json.loads(read(emojibase, name)) for name in ("en/data.json", "es/data.json", "en/messages.json")
    )
    return join(english, spanish, messages)


def join(
    english: list[dict[str, Any]], spanish: list[dict[str, Any]], messages: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Caption]:
    """Join emojibase's two languages. A Spanish text that is missing is left empty."""
    groups = {group["order"]: group["key"] for group in messages["groups"]}
    subgroups = {group["order"]: group["key"] for group in messages["subgroups"]}
    known = frozenset(normalise(entry["hexcode"]) for entry in english)
    translated = {normalise(each["hexcode"]): each for entry in spanish for each in _variants(entry)}
    found: dict[str, Caption] = {}
    for entry in english:
        group = groups.get(entry.get("group"), "")
        if group in EXCLUDED_GROUPS:
            continue
        plain = normalise(entry["hexcode"])
        for each in _variants(entry):
            code = normalise(each["hexcode"])
            translation = translated.get(code, {})
            found[code] = Caption(
                codepoints=code,
                base=base_of(plain, known),
                caption_en=each["label"],
                caption_es=translation.get("label", ""),
                tags_en=tuple(each["tags"]),
                tags_es=tuple(translation.get("tags", ())),
                group=group,
                subgroup=subgroups.get(entry.get("subgroup"), ""),
                gender=gender_of(code, each.get("gender", entry.get("gender"))),
                skin_tone=tone_of(each.get("tone")),
            )
    return found


def _variants(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """An emojibase entry and its skin tones; a skin tone has the tags of its entry."""
    tags = entry.get("tags", [])
    return [{**each, "tags": tags} for each in (entry, *entry.get("skins", []))]
