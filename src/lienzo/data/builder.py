"""A source → a folder of planes and rows in the cache: everything is decoded once, and what cannot be is set aside."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lienzo.core.errors import DataError
from lienzo.data.alike import groups_of
from lienzo.data.cache import DONE
from lienzo.data.columns import classes_of, read_columns
from lienzo.data.decode import Decoded
from lienzo.data.pixels import Ask
from lienzo.data.planes import MapFiles, as_planes, recoloured, without_alpha
from lienzo.data.records import Record, Source
from lienzo.data.telling import Lines
from lienzo.data.workers import SECONDS, Outcome, Workers

VERSION = 2  # of the folder's layout and of what decoding does: part of the key
PICTURES, ROWS, QUARANTINE = "pictures.u8", "rows.parquet", "quarantine.jsonl"


@dataclass
class _Kept:
    """What is known of the pictures so far."""

    records: list[Record] = field(default_factory=list[Record])
    found: list[Decoded] = field(default_factory=list[Decoded])
    bad: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    notes: Counter[str] = field(default_factory=Counter[str])


def build(
    source: Source, folder: Path, ask: Ask, *, seconds: float = SECONDS, progress: bool = False, fingerprint: str = ""
) -> None:
    """Decode everything once.

    Writes `pictures.u8` (planes), `map-N.u8`, `rows.parquet`, `quarantine.jsonl` and, last, `meta.json`.

    Args:
        source: what to read.
        folder: an empty folder.
        ask: size, policy and channels.
        seconds: how long one picture may take.
        progress: show a bar where the error output is a terminal.
        fingerprint: of the content; written down.
    """
    kept, maps = _Kept(), MapFiles(folder, ask.size)
    planes = 1 if ask.channels == 1 else 4
    with (folder / PICTURES).open("wb") as pictures, Workers(seconds=seconds) as workers:
        for record, found, over in shown(workers.decode(source.records(), ask), source.name, progress):
            if found.pixels is None:
                kept.bad.append({"file": record.key, "reason": found.reason, "detail": found.detail})
                continue
            kept.bad += bad_maps(record, over)
            pictures.write(as_planes(recoloured(found.pixels, planes)))
            maps.add(len(kept.records), over)
            kept.records.append(Record(record.key, None, record.fields, {}, record.split))
            kept.found.append(replace(found, pixels=None, mode="", format=""))
            kept.notes.update(found.notes)
    if planes == 4:
        planes = without_alpha(folder / PICTURES, ask.size)
    about = {"name": source.name, "size": ask.size, "planes": planes, "native": _native(kept.found, ask)}
    _write(folder, kept, maps, fingerprint, about)


def bad_maps(record: Record, maps: dict[str, Decoded]) -> Iterator[dict[str, str]]:
    """List a picture's maps that cannot be used; the picture itself can."""
    for name, found in maps.items():
        if found.pixels is None:
            yield {"file": f"{record.key} ({name})", "reason": found.reason, "detail": found.detail}


def _native(found: list[Decoded], ask: Ask) -> int:
    """Return the median of the sides that were brought to the size asked; 0 of none."""
    side = max if ask.policy == "pad" else min
    return int(np.median([side(one.width, one.height) for one in found])) if found else 0


def _write(folder: Path, kept: _Kept, maps: MapFiles, fingerprint: str, about: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    said = read_columns([record.fields for record in kept.records])
    contents = [found.content for found in kept.found]
    looks = np.array([found.look for found in kept.found], np.uint64)
    thumbs = np.frombuffer(b"".join(found.thumb for found in kept.found), np.uint8).reshape(-1, 192)
    columns: dict[str, Any] = {
        "key": [record.key for record in kept.records],
        "split": [record.split for record in kept.records],
        "content": contents,
        "group": groups_of(contents, looks, thumbs),
    }
    columns |= {f"label {name}": pa.array(values, pa.string()) for name, values in said.labels.items()}
    columns |= {"text": pa.array(said.texts, pa.list_(pa.string()))} if said.texts is not None else {}
    columns |= {f"map {name}": present for name, present in maps.present.items()}
    table: Any = pa.table(columns)
    pq.write_table(table, folder / ROWS, compression="zstd")
    lines = [json.dumps(entry, ensure_ascii=False) for entry in kept.bad]
    (folder / QUARANTINE).write_text("".join(line + "\n" for line in lines), "utf-8")
    meta = about | {
        "count": len(kept.records), "bad": len(kept.bad), "reasons": dict(Counter(e["reason"] for e in kept.bad)),
        "converted": dict(kept.notes), "rows_converted": sum(bool(found.notes) for found in kept.found),
        "classes": {name: classes_of(values) for name, values in said.labels.items()}, "maps": maps.close(),
        "text": said.texts is not None, "spoken": said.spoken, "dropped": said.dropped, "fingerprint": fingerprint,
    }  # fmt: skip
    (folder / DONE).write_text(json.dumps(meta, indent=1, ensure_ascii=False), "utf-8")


def shown(outcomes: Iterator[Outcome], name: str, progress: bool) -> Iterator[Outcome]:
    """Pass outcomes on under a progress bar, or with a line from time to time where nobody could see one."""
    if not progress:
        yield from outcomes
        return
    if not sys.stderr.isatty():
        lines = Lines(f"reading {name}")
        for outcome in outcomes:
            lines.add()
            yield outcome
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(outcomes, f"reading {name}", console=Console(stderr=True), transient=True)


def refuse_too_many(meta: dict[str, Any], share: float, where: Path) -> None:
    """Stop where more than `share` of a source cannot be used.

    Raises:
        DataError: with the commonest reasons.
    """
    total = meta["count"] + meta["bad"]
    reasons = ", ".join(f"{n} {reason}" for reason, n in Counter(meta["reasons"]).most_common(4))
    if not meta["count"]:
        raise DataError(f"{meta['name']} has no picture that can be used ({reasons or 'none was found'})",
                        hint=f"lienzo data check {meta['name']}")  # fmt: skip
    if meta["bad"] > share * total:
        raise DataError(
            f"{meta['bad']} of {total} files of {meta['name']} cannot be used ({reasons}): more than the "
            f"{share:.0%} that may be set aside; {where / QUARANTINE} lists them",
            hint=f"lienzo data check {meta['name']}, or raise max_bad_share",
        )
