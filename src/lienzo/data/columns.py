"""What was read beside pictures → columns: which are labels, which are text, which maps show what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TEXT = frozenset({"text", "texts", "caption", "captions", "prompt", "prompts", "description", "title", "alt"})
LABEL = frozenset({"label", "labels", "class", "category", "style", "gender", "group"})
NEITHER = frozenset({"file_name", "path", "url", "id", "key", "__key__", "width", "height", "size", "hash", "sha256"})
FEW = 16  # distinct values that always make a label
MOST = 10_000  # classes of a label at most
MAP_KINDS = (
    ("segm", "segmentation"), ("mask", "mask"), ("silhouette", "mask"), ("depth", "depth"), ("order", "depth"),
    ("pose", "pose"), ("skeleton", "pose"), ("edge", "edges"), ("canny", "edges"), ("line", "edges"),
    ("scribble", "edges"), ("sketch", "edges"),
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """Columns of N rows.

    Attributes:
        labels: column → one name a row, or None.
        texts: candidates, one list a row; None if the source has no text.
        dropped: columns that are neither.
        spoken: columns that were put together as text.
    """

    labels: dict[str, list[str | None]]
    texts: list[list[str]] | None
    dropped: list[str]
    spoken: list[str]


def read_columns(fields: Sequence[Mapping[str, Any]]) -> Said:
    """Decide what each column is.

    All text columns together become one, "text", in which each row has several candidates: so that a model that
    listens to "text" hears any set, whatever it calls its captions.

    Args:
        fields: one mapping a row; a row may lack any column.
    """
    names = list(dict.fromkeys(name for row in fields for name in row))
    labels: dict[str, list[str | None]] = {}
    texts: list[list[str]] | None = None
    dropped, spoken = list[str](), list[str]()
    for name in names:
        values = [row.get(name) for row in fields]
        kind = _kind(name, values)
        if kind == "text":
            spoken.append(name)
            texts = texts or [[] for _ in fields]
            for candidates, value in zip(texts, values, strict=True):
                candidates.extend(strings(value))
        elif kind == "label":
            labels[name] = [label_of(value) for value in values]
        else:
            dropped.append(name)
    return Said(labels, texts, dropped, spoken)


def classes_of(values: Sequence[str | None]) -> tuple[str, ...]:
    """The names of a label, sorted; numbers by their value."""
    found = {value for value in values if value is not None}
    return tuple(sorted(found, key=lambda v: (0, int(v), v) if v.isdecimal() else (1, 0, v)))


def map_kind(name: str) -> str:
    """Guess from a column's name what its maps show."""
    return next((kind for part, kind in MAP_KINDS if part in name.lower()), "picture")


def is_text(name: str) -> bool:
    """Tell whether a column's name says that it holds captions."""
    return name.lower() in TEXT or name.lower().startswith(("caption_", "text_", "prompt_"))


def strings(value: Any) -> list[str]:
    """The texts in a cell: one, several, or none."""
    values: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    return [v.strip() for v in values if isinstance(v, str) and v.strip()]


def _kind(name: str, values: Sequence[Any]) -> str:
    said = [value for value in values if not _unsaid(value)]
    low = name.lower()
    if is_text(name):
        return "text" if any(strings(value) for value in said) else ""
    plain = all(isinstance(v, str | bool | int) or (isinstance(v, float) and v.is_integer()) for v in said)
    if not said or low in NEITHER or not plain:
        return ""
    distinct = len({label_of(value) for value in said})
    if distinct > MOST or (low not in LABEL and distinct > max(FEW, len(said) // 4)):
        spaced = sum(isinstance(v, str) and " " in v.strip() for v in said)
        return "text" if spaced > len(said) / 2 else ""
    return "label"


def label_of(value: Any) -> str | None:
    """The name that a cell gives, whatever its type; None for nothing."""
    if _unsaid(value):
        return None
    return str(int(value)) if isinstance(value, float) else str(value)


def _unsaid(value: Any) -> bool:
    """Tell whether a cell says nothing: None, an empty text, or NaN, which is what tables make of a gap."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
