"""The other side of `process`: `python -m lienzo.api.compare` does the job that it reads."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import IO, Any

from lienzo.core import LienzoError

Values = dict[str, Any]
JOBS = {
    "train": "lienzo.api.compare.training:train",
    "draw": "lienzo.api.compare.drawing:draw",
    "measure": "lienzo.api.compare.measuring:measure",
    "nearest": "lienzo.api.compare.nearest:nearest",
}
STEP = 0.005  # of a job between two tellings


class Voice:
    """Tells whoever waits how a job goes.

    Args:
        send: takes one line of plain data.
    """

    def __init__(self, send: Callable[[Values], None]) -> None:
        self.send, self._told = send, -1.0

    def tell(self, sentence: str) -> None:
        """Tell a person something."""
        self.send({"tell": sentence})

    def share(self, done: float) -> None:
        """Tell how much is done, 0 to 1."""
        if abs(done - self._told) >= STEP:
            self._told = done
            self.send({"share": round(done, 4)})

    def part(self, start: float, end: float) -> Callable[[str, int, int], None]:
        """Return a listener of a piece of work that is the part from `start` to `end` of the job."""
        return lambda what, done, total: self.share(start + (end - start) * done / max(total, 1))


def do(job: Values, voice: Voice) -> Values:
    """Do a job and return its result.

    Args:
        job: "do", a name in `JOBS`; "threads"; and what that job needs.
        voice: tells how it goes.
    """
    if job.get("threads"):
        import torch

        torch.set_num_threads(int(job["threads"]))
    module, _, name = JOBS[job["do"]].partition(":")
    return getattr(import_module(module), name)(job, voice)


def main() -> None:
    """Read a job, do it, say how it ended."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stdout:
        os.dup2(2, 1)  # whatever else prints goes to the log
        job: Values = json.loads(sys.stdin.readline())
        threading.Thread(target=_until_left_alone, daemon=True).start()

        def send(line: Values) -> None:
            _write(stdout, line)

        send(_outcome(job, Voice(send)))


def _outcome(job: Values, voice: Voice) -> Values:
    try:
        return {"done": do(job, voice)}
    except LienzoError as error:
        return {"failed": [error.what, error.hint]}
    except Exception as error:  # one entrant's failure is an entry of the report
        traceback.print_exc()
        return {"failed": [f"{type(error).__name__}: {error}".split("\n")[0], "its log has the whole traceback"]}


def _write(stdout: IO[str], line: Values) -> None:
    try:
        stdout.write(json.dumps(line) + "\n")
        stdout.flush()
    except BrokenPipeError:
        return  # nobody listens any more; standard input will say so


def _until_left_alone() -> None:
    """Stop this process as Ctrl-C would when nobody waits for it any more: training then saves first."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
