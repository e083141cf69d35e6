"""Read a source once, whole, and report what it holds and every file that cannot be used, with the reason."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lienzo.data.alike import near_pairs
from lienzo.data.builder import bad_maps, shown
from lienzo.data.columns import classes_of, read_columns
from lienzo.data.decode import Decoded
from lienzo.data.open import source_at
from lienzo.data.pixels import Ask
from lienzo.data.records import Record
from lienzo.data.report import Bad, Captions, Converted, Leak, Report
from lienzo.data.workers import SECONDS, Workers

WORD = re.compile(r"\w+")
COMMON = 20  # words that are listed
Good = tuple[Record, Decoded]


def check(path: str | Path, *, size: int = 64, seconds: float = SECONDS, progress: bool = False) -> Report:
    """Check a folder, a table, tars or a set of the hub; nothing is written or changed.

    Args:
        path: as `open_source` takes it.
        size: side that the pictures are wanted at; smaller ones are counted.
        seconds: how long one picture may take.
        progress: show a bar where the error output is a terminal.

    Raises:
        DataError: if there is nothing of the kind.
    """
    start = time.perf_counter()
    source = source_at(path)
    good: list[Good] = []
    bad: list[Bad] = []
    with Workers(seconds=seconds) as workers:
        outcomes = workers.decode(source.records(), Ask(size))
        for record, found, maps in shown(outcomes, source.name, progress):
            if found.pixels is None:
                bad.append(Bad(record.key, found.reason, found.detail))
                continue
            bad += [Bad(**entry) for entry in bad_maps(record, maps)]
            good.append((Record(record.key, None, record.fields, {}, record.split), _light(found)))
    same = _same(good)
    near = _near(good)
    said = read_columns([record.fields for record, _ in good])
    return Report(
        path=source.name, kind=source.kind, files=len(good) + len(bad), usable=len(good), bad=tuple(bad),
        converted=tuple(Converted(record.key, found.notes) for record, found in good if found.notes),
        ignored=tuple(source.ignored()), sizes=_sizes([found for _, found in good], size),
        modes=_counted(found.mode for _, found in good), formats=_counted(found.format for _, found in good),
        same=tuple(tuple(good[i][0].key for i in group) for group in same),
        near=tuple((good[i][0].key, good[j][0].key) for i, j in near),
        captions=_captions(said.texts), splits=_counted(record.split for record, _ in good if record.split),
        classes={name: _balance(values) for name, values in said.labels.items()},
        leaks=tuple(_leaks(good, same, near)), dropped=tuple(said.dropped), seconds=time.perf_counter() - start,
    )  # fmt: skip


def _light(found: Decoded) -> Decoded:
    """All but the pixels, so that a large set fits into memory."""
    return replace(found, pixels=None)


def _same(good: Sequence[Good]) -> list[list[int]]:
    groups: dict[str, list[int]] = {}
    for number, (_, found) in enumerate(good):
        groups.setdefault(found.content, []).append(number)
    return [group for group in groups.values() if len(group) > 1]


def _near(good: Sequence[Good]) -> list[tuple[int, int]]:
    """Pairs that look alike but are not the same; of equal ones, only the first is compared."""
    first: dict[str, int] = {}
    for number, (_, found) in enumerate(good):
        first.setdefault(found.content, number)
    rows = np.array(sorted(first.values()), np.int64)
    looks = np.array([good[i][1].look for i in rows.tolist()], np.uint64)
    thumbs = np.frombuffer(b"".join(good[i][1].thumb for i in rows.tolist()), np.uint8).reshape(-1, 192)
    return [(int(rows[i]), int(rows[j])) for i, j in near_pairs(looks, thumbs).tolist()]


def _leaks(good: Sequence[Good], same: list[list[int]], near: list[tuple[int, int]]) -> Iterator[Leak]:
    equal = [(group[0], other, "same") for group in same for other in group[1:]]
    for i, j, how in [*equal, *((i, j, "near") for i, j in near)]:
        one, other = good[i][0], good[j][0]
        if one.split and other.split and one.split != other.split:
            yield Leak(one.key, one.split, other.key, other.split, how)


def _sizes(found: Sequence[Decoded], size: int) -> dict[str, Any]:
    if not found:
        return {}
    ordered = sorted(((one.width, one.height) for one in found), key=lambda wh: wh[0] * wh[1])
    small = sum(min(wh) < size for wh in ordered)
    named = {"smallest": ordered[0], "median": ordered[len(ordered) // 2], "largest": ordered[-1]}
    return named | ({f"below {size} px": small} if small else {})


def _captions(texts: list[list[str]] | None) -> Captions:
    if texts is None:
        return Captions()
    said = [text for candidates in texts for text in candidates]
    lengths = [len(WORD.findall(text)) for text in said]
    words = Counter(word.lower() for text in said for word in WORD.findall(text))
    silent = sum(not candidates for candidates in texts)
    return Captions(
        with_text=len(texts) - silent, without=silent, distinct=len(set(said)), vocabulary=len(words),
        mean_words=sum(lengths) / max(1, len(said)), most_words=max(lengths, default=0),
        common=tuple(words.most_common(COMMON)),
    )  # fmt: skip


def _balance(values: Sequence[str | None]) -> dict[str, int]:
    counts = Counter(values)
    balance = {name: counts[name] for name in classes_of(values)}
    return balance | ({"(unsaid)": counts[None]} if counts[None] else {})


def _counted(values: Iterator[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
