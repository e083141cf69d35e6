"""The built-in figures whose joints are known: full-body Fluent emoji, with skeletons found when the set was built."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from lienzo.core import DataError
from lienzo.data import compressed
from lienzo.data.cache import hash_files, key_of
from lienzo.data.dataset import Bytes, Column, Table, TableDataset
from lienzo.data.emoji import CREDIT, LABELS, Candidates, coded
from lienzo.data.lazy import Lazy
from lienzo.data.pixels import Ask
from lienzo.data.scenes.pose import Keypoints, skeletons
from lienzo.data.splits import Where, matching, rows_of

NAME = "emoji-poses"
FILE = "poses.json"
SURE = 0.5  # from here on a joint counts as seen, below as hidden


def figures() -> int:
    """Return how many there are."""
    file = compressed.ASSETS / "emoji" / FILE
    return len(json.loads(file.read_text(encoding="utf-8"))["poses"]) if file.is_file() else 0


def open_poses(ask: Ask, split: str, where: Where | None) -> TableDataset:
    """Open the figures with their skeletons, in the splits of the emoji.

    Args:
        ask: size, policy and channels.
        split: as in `open_source`.
        where: as in `open_source`.

    Raises:
        DataError: if the shards are missing, or the split or a label does not exist.
    """
    import pyarrow.parquet as pq

    files = compressed.shards("emoji", "emoji")
    file, pictures = files[0].parent / FILE, next((f for f in files if f.name == "mit.parquet"), None)
    if pictures is None or not file.is_file():
        raise DataError(f"{file} or the pictures beside it are missing", hint="reinstall lienzo")
    told = json.loads(file.read_text(encoding="utf-8"))
    fitting: Any = [("style", "==", told["style"]), ("skin_tone", "==", told["skin_tone"]),
                    ("codepoints", "in", list(told["poses"]))]  # fmt: skip
    whole: Any = pq.read_table(pictures, filters=fitting)
    columns: dict[str, list[Any]] = {name: whole[name].to_pylist() for name in whole.column_names}
    points = np.array([told["poses"][code] for code in columns["codepoints"]], np.float32)
    points = points * np.array([ask.size, ask.size, 1], np.float32)
    points[..., 2] = np.where(points[..., 2] >= SURE, 2, 1)
    planes = compressed.Compressed(columns["image"], ask, "RGBA" if ask.channels == 3 else "L")
    drawn = Lazy((len(points), 3, ask.size, ask.size), lambda row: _drawn(points[row], ask.size))
    maps = {"pose": (drawn, np.ones(len(points), np.bool_), Column("map", map_kind="pose", channels=3))}
    labels = {name: coded(columns[name]) for name in LABELS}
    table = Table(planes, labels, {"text": Candidates(columns)}, maps, planes.native)
    rows = rows_of(split, columns["split"], columns["base"], NAME)
    rows = rows[matching(table, dict(where or {}), NAME)[rows]]
    fingerprint = key_of(hash_files([pictures, file], file.parent), split, dict(where or {}))
    licence = compressed.licence_of(pictures)
    return TableDataset(NAME, table, rows, licence=licence, citation=CREDIT, fingerprint=fingerprint)


def _drawn(joints: Keypoints, size: int) -> Bytes:
    return skeletons(joints[None], size, size).transpose(2, 0, 1)
