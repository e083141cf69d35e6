"""Write a shard (one Parquet file of one licence) and the manifest that lets anyone check it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROWS_PER_GROUP = 1024
Row = Mapping[str, Any]


def write_shard(path: Path, rows: Sequence[Row], schema: Mapping[str, str]) -> Path:
    """Write rows as Parquet. `schema` names every column's kind: 'binary', 'string', 'list<string>'.

    Pictures are already compressed, so binary columns are stored as they are; the others are dictionaries under zstd.
    Equal rows give equal bytes under one version of the writer.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds: dict[str, Any] = {"binary": pa.binary(), "string": pa.string(), "list<string>": pa.list_(pa.string())}
    table: Any = pa.table({name: pa.array([row[name] for row in rows], kinds[kind]) for name, kind in schema.items()})
    text = [_leaf(name, kind) for name, kind in schema.items() if kind != "binary"]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        path,
        compression={_leaf(name, kind): "NONE" if kind == "binary" else "ZSTD" for name, kind in schema.items()},
        use_dictionary=text,
        write_statistics=text,
        row_group_size=ROWS_PER_GROUP,
    )
    return path


def _leaf(name: str, kind: str) -> str:
    """How Parquet calls the column that holds the values."""
    return f"{name}.list.element" if kind.startswith("list") else name


def describe(path: Path, rows: Sequence[Row], by: Sequence[str]) -> dict[str, Any]:
    """A shard's line in the manifest: its sha256, its size, and its rows counted by each of the columns `by`."""
    content = path.read_bytes()
    counts = {column: _count(row[column] for row in rows) for column in by}
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": len(rows), **counts}


def cross(rows: Iterable[Row], first: str, second: str) -> dict[str, dict[str, int]]:
    """Rows counted by two columns: {first: {second: rows}}."""
    table: dict[str, list[str]] = {}
    for row in rows:
        table.setdefault(row[first], []).append(row[second])
    return {key: _count(values) for key, values in sorted(table.items())}


def tools() -> dict[str, str]:
    """The versions of what decides the bytes."""
    return {name: version(name) for name in ("numpy", "pillow", "pyarrow", "resvg-py")}


def write_manifest(path: Path, content: Mapping[str, Any]) -> Path:
    """Write a manifest: JSON, indented, in the given order."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
