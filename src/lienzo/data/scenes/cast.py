"""Who may stand in the scenes of one split: the emoji of that split, cut out and trimmed."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from PIL import Image

from lienzo.data.compressed import shards
from lienzo.data.dataset import Bytes, TableDataset
from lienzo.data.scenes.kinds import BEHIND, KINDS, is_head, stands

SOLID = 24  # the least alpha that counts as part of a thing
HUES = {"red": 0, "orange": 17, "yellow": 36, "green": 85, "blue": 153, "purple": 196, "pink": 232}
"""The colours in which things are painted, as Pillow's hues (of 255)."""
LEAST = 20  # things that a style must have, or it has no scenes


@dataclass(frozen=True)
class Choice:
    """Things of one style by subgroup, and how often each subgroup is drawn (cumulated)."""

    rows: tuple[tuple[int, ...], ...]
    often: tuple[float, ...]

    def draw(self, rng: random.Random) -> int:
        """Draw a row: its subgroup first, so that none is frequent for having many pictures."""
        return rng.choice(rng.choices(self.rows, cum_weights=self.often)[0])


class Cast:
    """The things of one split.

    Attributes:
        styles: that have enough things.
        subgroups: one a row of the emoji's table.
        captions: as they were given.
        split: as it was given.

    Args:
        emoji: the pictures of one split, as they are stored.
        captions: (English, Spanish) of every row of their table.
        split: its name.
    """

    def __init__(self, emoji: TableDataset, captions: list[tuple[str, str]], split: str) -> None:
        self.split = split
        self._planes = emoji.table.planes
        codes, classes = emoji.table.labels["subgroup"]
        self.subgroups = [classes[code] if code >= 0 else "" for code in codes.tolist()]
        self.captions = captions
        self._trimmed: dict[int, Image.Image | None] = {}
        self._main, self._others = self._by_style(emoji)
        self._heads = self._heads_of(emoji)
        self.styles = sorted(self._main)

    def main(self, style: str, rng: random.Random) -> int:
        """Draw the main thing of a scene, a row of the emoji's table."""
        return self._main[style].draw(rng)

    def other(self, style: str, rng: random.Random) -> int:
        """Draw a thing that stands behind the main one."""
        return self._others[style].draw(rng)

    def head(self, style: str, rng: random.Random) -> int | None:
        """Draw the head of a figure; None if the style has none in this split."""
        rows = self._heads.get(style)
        return rng.choice(rows) if rows else None

    def is_person(self, row: int) -> bool:
        """Tell whether a head is a person's own, and not just a face."""
        return self.subgroups[row] == "person"

    def cut_out(self, row: int) -> Image.Image:
        """Return a thing's RGBA picture, trimmed to what is not transparent."""
        if row not in self._trimmed:
            self._trimmed[row] = _trimmed(self._planes[np.array([row])][0])
        return self._trimmed[row] or Image.new("RGBA", (1, 1))

    def colour(self, row: int) -> str:
        """Name the colour of `HUES` that a thing mostly has; "" if it is grey."""
        hsv = np.asarray(self.cut_out(row).convert("RGB").convert("HSV")).reshape(-1, 3)
        solid = np.asarray(self.cut_out(row).getchannel("A")).ravel() >= 128
        vivid = hsv[solid & (hsv[:, 1] > 90) & (hsv[:, 2] > 70)][:, 0].astype(int)
        if len(vivid) < 0.25 * solid.sum():
            return ""
        away = [np.median(np.minimum((vivid - hue) % 256, (hue - vivid) % 256)) for hue in HUES.values()]
        return list(HUES)[int(np.argmin(away))]

    def _heads_of(self, emoji: TableDataset) -> dict[str, list[int]]:
        codes, classes = emoji.table.labels["style"]
        found: dict[str, list[int]] = defaultdict(list)
        for row in emoji.rows.tolist():
            if codes[row] >= 0 and is_head(self.subgroups[row], self.captions[row][0], classes[codes[row]]):
                found[classes[codes[row]]].append(row)
        return found

    def _by_style(self, emoji: TableDataset) -> tuple[dict[str, Choice], dict[str, Choice]]:
        codes, classes = emoji.table.labels["style"]
        found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for row in emoji.rows.tolist():
            if codes[row] >= 0 and stands(self.subgroups[row], self.captions[row][0]):
                found[classes[codes[row]]][self.subgroups[row]].append(row)
        enough = {style: rows for style, rows in found.items() if sum(map(len, rows.values())) >= LEAST}
        mains = {style: _choice(rows, 1) for style, rows in enough.items()}
        return mains, {style: _choice(rows, 2) for style, rows in enough.items()}


def emoji_captions() -> list[tuple[str, str]]:
    """Read the captions of all emoji, in the order of their table; "" where there is none."""
    import pyarrow.parquet as pq

    parts: list[Any] = [pq.read_table(file, columns=["caption_en", "caption_es"]) for file in shards("emoji", "emoji")]
    return [(row["caption_en"] or "", row["caption_es"] or "") for part in parts for row in part.to_pylist()]


def _choice(rows: dict[str, list[int]], behind: int) -> Choice:
    often = (KINDS[name][0] * (behind if name in BEHIND else 1) * _known(len(rows[name])) for name in rows)
    return Choice(tuple(map(tuple, rows.values())), tuple(accumulate(often)))


def _known(count: int) -> float:
    """A subgroup with few pictures is drawn less, that none of them is seen too often."""
    return min(1.0, count / 8)


def _trimmed(planes: Bytes) -> Image.Image | None:
    box = Image.fromarray((planes[3] >= SOLID).astype(np.uint8)).getbbox()
    return Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0))).crop(box) if box else None
