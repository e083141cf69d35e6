"""Composed pictures drawn beforehand, by a process a core, and read from memory maps like any others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lienzo.core.errors import DataError
from lienzo.data.cache import DONE, cache_root, key_of, once
from lienzo.data.dataset import Bytes, Column, Planes, Table, TableDataset
from lienzo.data.emoji import coded
from lienzo.data.pixels import Ask
from lienzo.data.scenes.composed import VERSION, Composed, References
from lienzo.data.splits import Where
from lienzo.data.telling import Lines

LEAST = 256  # rows for which a process is begun
DRAWING = "lienzo.data.scenes.drawing"
LAYOUT = 1  # of these files: part of the key
PICTURES = "pictures"
Shape = tuple[int, int, int, int]


class Opaque:
    """(N, 4, S, S) planes of (N, 3, S, S): alpha is 255 everywhere."""

    def __init__(self, planes: Planes) -> None:
        self._planes = planes
        self.shape: tuple[int, ...] = (planes.shape[0], 4, *planes.shape[2:])

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        found = np.full((len(rows), *self.shape[1:]), 255, np.uint8)
        found[:, :3] = self._planes[rows]
        return found


class Chained:
    """Planes of several parts, one after the other."""

    def __init__(self, parts: Sequence[Planes]) -> None:
        self._parts = parts
        self._ends = np.cumsum([part.shape[0] for part in parts])
        self.shape: tuple[int, ...] = (int(self._ends[-1]), *parts[0].shape[1:])

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        found, owner = np.empty((len(rows), *self.shape[1:]), np.uint8), np.searchsorted(self._ends, rows, "right")
        for number, part in enumerate(self._parts):
            mine = owner == number
            found[mine] = part[rows[mine] - (self._ends[number] - part.shape[0])]
        return found


def open_prepared(
    source: Composed, ask: Ask, split: str, where: Where | None, *, count: int, cache: Path | None, progress: bool
) -> TableDataset:
    """Open a source whose pictures and maps are drawn beforehand, into the cache; else it is as `Composed.open` gives.

    Args:
        source: scenes, combinations or edits.
        ask: size and channels.
        split: as in `open_source`.
        where: as in `open_source`.
        count: as the source takes it.
        cache: its folder; None for the usual one.
        progress: show a bar.

    Raises:
        DataError: for a split or a label that does not exist, or if a process fails.
    """
    root, parts = cache_root(cache), list[tuple[Path, str, int]]()
    for name, size in source.chosen(split, count).items():
        mark = source.part(name, range(0)).emoji.fingerprint
        key = f"{source.name}-{key_of(LAYOUT, VERSION, mark, name, size, ask.size, ask.channels)}"
        parts.append((once(root, key, _drawing(source, name, size, ask, progress)), name, size))
    return source.finished(_read(source, ask, parts), split, where, count)


def _drawing(source: Composed, split: str, size: int, ask: Ask, progress: bool) -> Any:
    def fill(folder: Path) -> None:
        table = source.table([source.part(split, range(0))], ask)
        with ExitStack() as files:
            for name, shape in files_of(table, size).items():
                files.enter_context((folder / f"{name}.u8").open("wb")).truncate(int(np.prod(shape)))
        jobs = max(1, min(_cores(), size // LEAST))
        edges = [size * job // jobs for job in range(jobs + 1)]
        asked = {"source": source.name, "split": split, "size": ask.size, "channels": ask.channels, "count": size}
        tasks = [{**asked, "first": first, "stop": stop} for first, stop in pairwise(edges)]
        with _bar(f"drawing {source.name} ({split})", size, progress) as told:
            for done in _run(tasks, folder):
                told(done)
        (folder / DONE).write_text(json.dumps({"rows": [task["first"] for task in tasks]}), "utf-8")

    return fill


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def files_of(table: Table, count: int) -> dict[str, Shape]:
    """Return the planes that are stored, with their shapes; a reference is stored as a number."""
    planes = {PICTURES: table.planes, **{name: entry[0] for name, entry in table.maps.items() if name != "reference"}}
    each = {name: tuple(entry.shape[1:]) for name, entry in planes.items()}
    return {name: (count, 3 if shape[0] == 4 else shape[0], shape[1], shape[2]) for name, shape in each.items()}


def _run(tasks: Sequence[dict[str, Any]], folder: Path) -> Iterator[int]:
    """Let processes draw; yield how many rows are done, as they are."""
    reader, writer = os.pipe()
    running = list[tuple[subprocess.Popen[bytes], IO[bytes]]]()
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        for task in tasks:
            words = [sys.executable, "-m", DRAWING, json.dumps(task), str(folder)]
            errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed below, after it was read)
            running.append((subprocess.Popen(words, stdout=writer, stderr=errors, env=quiet), errors))  # noqa: S603
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            yield from (int(line) for line in pipe)
        for process, errors in running:
            if process.wait():
                errors.seek(0)
                last = errors.read().decode("utf-8", "replace").strip().splitlines() or ["no words"]
                raise DataError(f"a process that draws scenes failed: {last[-1]}", hint="enough memory and disk?")
    finally:
        for process, errors in running:
            process.kill()
            process.wait()
            errors.close()


@contextmanager
def _bar(what: str, total: int, progress: bool) -> Generator[Any]:
    if not progress or not sys.stderr.isatty():
        yield Lines(what, total).add if progress else lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def _read(source: Composed, ask: Ask, parts: Sequence[tuple[Path, str, int]]) -> Table:
    """Open the tables of several splits as one."""
    empty = source.table([source.part(parts[0][1], range(0))], ask)
    said = [line for folder, _, _ in parts for line in _lines(folder)]
    planes = {
        name: Chained([_mapped(folder / f"{name}.u8", files_of(empty, size)[name]) for folder, _, size in parts])
        for name in files_of(empty, 1)
    }  # fmt: skip
    maps: dict[str, tuple[Planes, NDArray[np.bool_], Column]] = {}
    for name, (old, _, column) in empty.maps.items():
        numbers = np.array([line["maps"][name] for line in said], np.int64)
        if isinstance(old, References):
            maps[name] = References(source.part(parts[0][1], range(0)).emoji.table.planes, numbers).column
        else:
            maps[name] = (planes[name], numbers > 0, column)
    labels = {name: _codes([line["labels"][name] for line in said], empty, name) for name in empty.labels}
    pictures = Opaque(planes[PICTURES]) if empty.planes.shape[1] == 4 else planes[PICTURES]
    return Table(pictures, labels, {"text": [line["text"] for line in said]}, maps)


def _lines(folder: Path) -> Iterator[Any]:
    for first in json.loads((folder / DONE).read_text("utf-8"))["rows"]:
        with (folder / f"rows-{first}.jsonl").open(encoding="utf-8") as rows:
            yield from (json.loads(line) for line in rows)


def _codes(names: list[str], empty: Table, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    classes = empty.labels[name][1]
    if not classes:
        return coded(names)
    numbers = {each: number for number, each in enumerate(classes)}
    return np.array([numbers.get(each, -1) for each in names], np.int64), classes


def _mapped(file: Path, shape: Shape) -> Planes:
    mapped: Bytes = np.memmap(file, np.uint8, "r", shape=shape)
    return mapped.view(np.ndarray)
