"""The built-in OpenMoji pictures with four maps each: line art, silhouette, segmentation, and painter's order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from lienzo.data.cache import hash_files, key_of
from lienzo.data.compressed import Compressed, licence_of, shards
from lienzo.data.dataset import Column, Planes, Table, TableDataset
from lienzo.data.emoji import TEXTS, Candidates, coded
from lienzo.data.pixels import Ask
from lienzo.data.splits import Where, matching, rows_of

MAPS = {
    "line_art": Column("map", map_kind="edges", channels=1),
    "silhouette": Column("map", map_kind="mask", channels=1),
    "segmentation": Column("map", map_kind="segmentation", channels=6),
    "order": Column("map", map_kind="depth", channels=1),
}
LABELS = ("group", "subgroup", "gender", "skin_tone")
CREDIT = "OpenMoji, the open-source emoji and icon project (CC BY-SA 4.0)"


def open_openmoji(ask: Ask, split: str, where: Where | None) -> TableDataset:
    """Open the OpenMoji pictures with their maps.

    Args:
        ask: size, policy and channels.
        split: as in `open_source`.
        where: as in `open_source`; the default skin tone alone, unless it says otherwise.

    Raises:
        DataError: if the shard is missing, or the split or a label does not exist.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = shards("openmoji-maps", "openmoji-maps")
    whole: Any = pa.concat_tables([pq.read_table(file) for file in files])
    columns: dict[str, list[Any]] = {name: whole[name].to_pylist() for name in whole.column_names}
    picture = columns.get("picture") or columns["image"]
    planes = Compressed(picture, ask, "RGBA" if ask.channels == 3 else "L")
    labels = {name: coded(columns[name]) for name in LABELS if name in columns}
    texts = {"text": Candidates(columns)} if all(name in columns for name in TEXTS) else {}
    flat = replace(ask, is_map=True, channels=1)
    maps: dict[str, tuple[Planes, Any, Column]] = {
        name: (Compressed(columns[name], flat, "L"), np.array([c is not None for c in columns[name]]), column)
        for name, column in MAPS.items() if name in columns
    }  # fmt: skip
    table = Table(planes, labels, texts, maps)
    asked = {**({"skin_tone": ""} if "skin_tone" in labels else {}), **(where or {})}
    rows = rows_of(split, columns["split"], columns["base"], "openmoji-maps")
    rows = rows[matching(table, asked, "openmoji-maps")[rows]]
    content = hash_files(files, files[0].parent)
    licence = " AND ".join(licence_of(file) for file in files)
    fingerprint = key_of(content, split, asked)
    return TableDataset("openmoji-maps", table, rows, licence=licence, citation=CREDIT, fingerprint=fingerprint)
