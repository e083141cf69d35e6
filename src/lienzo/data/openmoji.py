"""The built-in OpenMoji pictures with four maps each: line art, silhouette, segmentation, and painter's order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.data.cache import hash_files, key_of
from lienzo.data.compressed import Compressed, licence_of, shards
from lienzo.data.dataset import Column, Planes, Table, TableDataset
from lienzo.data.emoji import Candidates, coded
from lienzo.data.pixels import Ask
from lienzo.data.splits import Where, matching, rows_of
from lienzo.data.workers import over

MAPS = {
    "line_art": Column("map", map_kind="edges", channels=1),
    "silhouette": Column("map", map_kind="mask", channels=1),
    "segmentation": Column("map", map_kind="segmentation", channels=6),
    "order": Column("map", map_kind="depth", channels=1),
}
LABELS = ("group", "subgroup", "gender")
CREDIT = "OpenMoji, the open-source emoji and icon project (CC BY-SA 4.0)"


def open_openmoji(ask: Ask, split: str, where: Where | None) -> TableDataset:
    """Open the OpenMoji pictures with their maps.

    Args:
        ask: size, policy and channels.
        split: as in `open_source`.
        where: as in `open_source`.

    Raises:
        DataError: if the shard is missing, or the split or a label does not exist.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = shards("openmoji-maps", "openmoji-maps")
    whole: Any = pa.concat_tables([pq.read_table(file) for file in files])
    columns: dict[str, list[Any]] = {name: whole[name].to_pylist() for name in whole.column_names}
    planes = Compressed(columns["image"], ask, "RGBA" if ask.channels == 3 else "L")
    labels = {name: coded(columns[name]) for name in LABELS}
    maps: dict[str, tuple[Planes, NDArray[np.bool_], Column]] = {
        name: (
            Compressed(columns[name], over(name, ask), "L", spread=name == "order"),
            np.array([data is not None for data in columns[name]]),
            column,
        )
        for name, column in MAPS.items()
    }
    table = Table(planes, labels, {"text": Candidates(columns)}, maps, planes.native)
    asked = dict(where or {})
    rows = rows_of(split, columns["split"], columns["base"], "openmoji-maps")
    rows = rows[matching(table, asked, "openmoji-maps")[rows]]
    content = hash_files(files, files[0].parent)
    licence = " AND ".join(licence_of(file) for file in files)
    fingerprint = key_of(content, split, asked)
    return TableDataset("openmoji-maps", table, rows, licence=licence, citation=CREDIT, fingerprint=fingerprint)
