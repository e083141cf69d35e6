"""`log.jsonl`: one line of plain data every few steps, and one for everything that was said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lienzo.training.folder import write_text


class Log:
    """Appends lines; survives kills, full disks and resumption without a duplicate or a torn line.

    Args:
        path: the file. None: nothing is written (processes that do not lead).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problem: OSError | None = None

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line. A disk that refuses is remembered in `problem`, not raised: training is worth more."""
        if self.path is None:
            return
        text = json.dumps(line, ensure_ascii=False) + "\n"
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(handle, ("\n" + text if self.problem else text).encode())
            finally:
                os.close(handle)
            self.problem = None
        except OSError as error:
            self.problem = error

    def rewind(self, step: int) -> None:
        """Forget every line after `step`, and torn ones."""
        if self.path is None or not self.path.exists():
            return
        kept = [line for line in read_log(self.path) if line.get("step", 0) <= step]
        try:
            write_text(self.path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))
        except OSError as error:
            self.problem = error


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log; torn ones are left out."""
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line
