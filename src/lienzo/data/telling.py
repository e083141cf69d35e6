"""Words for people: names that a text can hold, and how far a long work is where no terminal can show a bar."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

EVERY = 10.0  # s between two lines


def readable(name: str) -> str:
    r"""Return a name that any file can hold: bytes that were no UTF-8, which Python keeps as surrogates, become U+FFFD.

    >>> readable("perro.png"), ascii(readable("ni" + chr(0xDCF1) + "o.png"))
    ('perro.png', "'ni\\ufffdo.png'")
    """
    return re.sub("[\ud800-\udfff]", "\ufffd", name)


class Lines:
    """A line on standard error every few seconds.

    Args:
        what: is done, e.g. "drawing scenes".
        total: how many there are; 0 where nobody knows.
        now: the clock, s.
    """

    def __init__(self, what: str, total: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self.what, self.total, self.done = what, total, 0
        self._now, self._said = now, now()

    def add(self, count: int = 1) -> None:
        """Count what is done; say how far it is if it is time."""
        self.done += count
        if self._now() - self._said >= EVERY:
            self._said = self._now()
            of = f" of {self.total:,}" if self.total else ""
            sys.stderr.write(f"{self.what}: {self.done:,}{of}\n")
            sys.stderr.flush()
