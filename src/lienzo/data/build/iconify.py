"""Read the SVG pictures of an iconify package: by the codepoints that it lists, or by name where it lists none."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lienzo.data.build.captions import normalise, slug
from lienzo.data.build.packages import read

# Emoji that CLDR has renamed since the set without codepoints was named: today's label → the set's name.
RENAMED = {
    "bullseye": "direct-hit",
    "face with crossed-out eyes": "dizzy-face",
    "smiling face with open hands": "hugging-face",
    "enraged face": "pouting-face",
}


def by_codepoint(tarball: Path) -> Iterator[tuple[str, str]]:
    """(normalised codepoints, SVG) of every picture to which the package gives codepoints."""
    icons = json.loads(read(tarball, "icons.json"))
    names: dict[str, str] = json.loads(read(tarball, "chars.json"))
    for code, name in sorted(names.items()):
        source = svg_of(icons, name)
        if source is not None:
            yield normalise(code), source


def by_label(tarball: Path, labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(codepoints, SVG) of every picture whose name is an emoji's label; `labels` maps codepoints to labels.

    An alias counts only where its picture bears no label of its own: the sport's old name 'cricket' is an insect today.
    """
    icons = json.loads(read(tarball, "icons.json"))
    slugs = frozenset(map(slug, labels.values()))
    for code, label in sorted(labels.items()):
        name = slug(label)
        parent = icons.get("aliases", {}).get(name, {}).get("parent", "")
        source = None if parent in slugs else svg_of(icons, name) or svg_of(icons, RENAMED.get(label, ""))
        if source is not None:
            yield code, source


def svg_of(icons: Mapping[str, Any], name: str) -> str | None:
    """One picture as an SVG with a square view box; an alias may mirror its parent. None if the name is unknown."""
    alias = icons.get("aliases", {}).get(name)
    icon = icons["icons"].get(alias["parent"] if alias else name)
    if icon is None:
        return None
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    left, top, body = icon.get("left", 0), icon.get("top", 0), icon["body"]
    if alias and alias.get("hFlip"):
        body = f'<g transform="translate({2 * left + width} 0) scale(-1 1)">{body}</g>'
    side = max(width, height)
    box = f"{left - (side - width) / 2:g} {top - (side - height) / 2:g} {side} {side}"
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {names} viewBox="{box}">{body}</svg>'
