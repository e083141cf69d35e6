"""Work in a process of its own: its peak of memory is its own, and whatever ends it ends nothing else.

The job goes to the process as one line of JSON; lines of JSON come back. The process's standard input stays open as
long as somebody waits for it: when it closes, whatever the reason, the process saves what it can and stops.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from lienzo.core import LienzoError

Values = dict[str, Any]
COMMAND = (sys.executable, "-m", "lienzo.api.compare")
PATIENCE = 120.0  # s for saving what there is
TAIL = 2000  # characters of a log in which the last line is looked for


class WorkError(LienzoError):
    """A job that could not be done; the comparison goes on without it."""


class Ear:
    """Hears a job on its way.

    Args:
        tell: a sentence.
        share: how much of the job is done, 0 to 1.
    """

    def __init__(self, tell: Callable[[str], None], share: Callable[[float], None]) -> None:
        self.tell, self.share = tell, share


def apart(job: Values, log: Path, ear: Ear, command: Sequence[str] = COMMAND) -> Values:
    """Do a job in a process of its own and return its result.

    Args:
        job: what to do, see `lienzo.api.compare.work`.
        log: gets what the process says besides.
        ear: hears it on its way.
        command: that starts the process.

    Raises:
        WorkError: if it fails, or ends without a word.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as said:
        process = subprocess.Popen(  # noqa: S603  (our own command)
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, encoding="utf-8",
            start_new_session=True,  # Ctrl-C in a terminal is for us alone: we tell the process
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _begin(process.stdin, job)
            outcome = _heard(process.stdout, ear)
            code = process.wait()
        finally:
            _end(process)
    if "done" in outcome:
        return outcome["done"]
    what, hint = outcome.get("failed") or (_last_words(code, log), f"the whole story is in {log}")
    raise WorkError(what, hint=hint)


def _begin(stdin: IO[str], job: Values) -> None:
    try:
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
    except BrokenPipeError:
        return  # it ended at once: its log says why


def _heard(stdout: IO[str], ear: Ear) -> Values:
    """Listen until the process is silent, and return how it ended."""
    outcome: Values = {}
    for line in stdout:
        told: Values = json.loads(line)
        if "tell" in told:
            ear.tell(told["tell"])
        elif "share" in told:
            ear.share(told["share"])
        else:
            outcome = told
    return outcome


def _end(process: subprocess.Popen[str]) -> None:
    """Leave the process alone, which makes it stop; wait until it has; a second Ctrl-C kills it."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        process.stdout.close()


def _last_words(code: int, log: Path) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    lines = log.read_text("utf-8", errors="replace")[-TAIL:].split("\n") if log.is_file() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"its process {how}" + (f": {last}" if last and code > 0 else "")
