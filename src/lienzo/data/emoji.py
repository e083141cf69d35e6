"""The built-in emoji: five artists' pictures of one vocabulary, with captions in English and Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lienzo.data.cache import hash_files, key_of
from lienzo.data.columns import classes_of
from lienzo.data.compressed import Compressed, licence_of, shards
from lienzo.data.dataset import Table, TableDataset
from lienzo.data.pixels import Ask
from lienzo.data.splits import Where, matching, rows_of

LABELS = ("style", "group", "subgroup", "gender", "skin_tone")
TEXTS = ("caption_en", "caption_es", "tags_en", "tags_es")
CREDIT = (
    "Noto Emoji (Google), Twemoji (Twitter, Inc. and contributors), Fluent Emoji (Microsoft); "
    "names and tags: emojibase and Unicode CLDR"
)
TAGGED = 2  # candidates a language that add a tag to the caption


def candidates(caption_en: str, caption_es: str, tags_en: Sequence[str] = (), tags_es: Sequence[str] = ()) -> list[str]:
    """List what may be said of an emoji, each as often as it should be heard.

    The English caption is heard most (four times), the Spanish one twice, and each language adds up to two variants
    that name a tag, so that a model learns words beyond the official names.

    >>> candidates("dog", "perro", ["dog", "pet"], ["mascota"])
    ['dog', 'dog', 'dog', 'dog', 'dog, pet', 'perro', 'perro', 'perro, mascota']
    """
    return [*_said(caption_en, tags_en, 4), *_said(caption_es, tags_es, 2)]


def _said(caption: str, tags: Sequence[str], times: int) -> list[str]:
    if not caption:
        return []
    new = [tag for tag in tags if tag.lower() not in caption.lower()]
    return [caption] * times + [f"{caption}, {tag}" for tag in new[:TAGGED]]


class Candidates(Sequence[Sequence[str]]):
    """What `candidates` gives for every row, made when they are first asked for."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = [columns[name] for name in TEXTS]
        self._made: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, row: Any) -> Any:
        if row not in self._made:
            en, es, tags_en, tags_es = (column[row] for column in self._columns)
            self._made[row] = candidates(en or "", es or "", tags_en or (), tags_es or ())
        return self._made[row]


def open_emoji(ask: Ask, split: str, where: Where | None) -> TableDataset:
    """Open the emoji. They are split by their base codepoint: no picture has its like in another split.

    Args:
        ask: size, policy and channels.
        split: as in `open_source`.
        where: as in `open_source`; the default skin tone alone, unless it says otherwise.

    Raises:
        DataError: if the shards are missing, or the split or a label does not exist.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = shards("emoji", "emoji")
    parts: list[Any] = [pq.read_table(file) for file in files]
    whole: Any = pa.concat_tables(parts)
    columns: dict[str, list[Any]] = {name: whole[name].to_pylist() for name in whole.column_names}
    mode = "RGBA" if ask.channels == 3 else "L"
    labels = {name: coded(columns[name]) for name in LABELS}
    planes = Compressed(columns["image"], ask, mode)
    table = Table(planes, labels, {"text": Candidates(columns)}, {}, planes.native)
    asked = {"skin_tone": "", **(where or {})}
    rows = rows_of(split, columns["split"], columns["base"], "emoji")
    rows = rows[matching(table, asked, "emoji")[rows]]
    shard_of = np.repeat(np.arange(len(files)), [len(part) for part in parts])
    licence = " AND ".join(licence_of(files[i]) for i in np.unique(shard_of[rows]).tolist())
    content = hash_files(files, files[0].parent)
    fingerprint = key_of(content, split, asked)
    return TableDataset("emoji", table, rows, licence=licence, citation=CREDIT, fingerprint=fingerprint)


def coded(values: Sequence[str | None]) -> tuple[Any, tuple[str, ...]]:
    """Turn names into codes (N,), -1 for "" and None, and the classes."""
    classes = classes_of([value or None for value in values])
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[v] if v else -1 for v in values], np.int64), classes
