"""One of the processes that draw beforehand: it draws some rows of a split into the files that its parent has made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from lienzo.data.dataset import Bytes, Table
from lienzo.data.pixels import Ask
from lienzo.data.scenes import SOURCES
from lienzo.data.scenes.composed import References
from lienzo.data.scenes.prepared import PICTURES, files_of

AT_ONCE = 64  # rows that are laid out at once, and then told of


def draw(task: dict[str, Any], folder: Path) -> None:
    """Draw the rows first … stop of a split into a folder's files, and say on the standard output how many are done."""
    source, ask = SOURCES[task["source"]], Ask(task["size"], channels=task["channels"])
    files: dict[str, Bytes] = {}
    with (folder / f"rows-{task['first']}.jsonl").open("w", encoding="utf-8") as rows:
        for first in range(task["first"], task["stop"], AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, task["stop"]))
            table = source.table([source.part(task["split"], numbers)], ask)
            for name, shape in files_of(table, task["count"]).items():
                if name not in files:
                    files[name] = np.memmap(folder / f"{name}.u8", np.uint8, "r+", shape=shape)
            _draw(table, files, first, rows)
            sys.stdout.write(f"{len(numbers)}\n")
            sys.stdout.flush()


def _draw(table: Table, files: dict[str, Bytes], first: int, rows: IO[str]) -> None:
    for row in range(len(table)):  # row by row: what a pair's pictures share is remembered for a while
        at = np.array([row])
        files[PICTURES][first + row] = table.planes[at][0, : files[PICTURES].shape[1]]
        there: dict[str, int] = {}
        for name, (planes, present, _) in table.maps.items():
            if name == "reference":
                assert isinstance(planes, References)
                there[name] = int(planes.numbers[row])
            elif present[row]:
                files[name][first + row] = planes[at][0]
            there.setdefault(name, int(present[row]))
        labels = {n: classes[codes[row]] if codes[row] >= 0 else "" for n, (codes, classes) in table.labels.items()}
        said = {"text": list(table.texts["text"][row]), "labels": labels, "maps": there}
        rows.write(json.dumps(said, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    draw(json.loads(sys.argv[1]), Path(sys.argv[2]))
