"""Trains the tiny family in a process of its own, which may be told to die: OUT IMAGES [WHERE COUNT].

WHERE is a function of the checkpoint module, killed when it is called for the COUNT-th time; or "step", killed before
the step that begins after COUNT images; or "rank1", the same for process 1 of a team, in its first life only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tiny_family import Tiny, batch_at, settings

from lienzo.core import Batch
from lienzo.training import checkpoint, train


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_in(function: str, count: int) -> None:
    original, calls = getattr(checkpoint, function), [0]

    def deadly(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == count:
            die()
        return original(*args, **kwargs)

    setattr(checkpoint, function, deadly)


def main(out: str, images: str, where: str = "", count: str = "0") -> None:
    def feed(seen: int) -> Batch:
        mine = where == "step" or (
            where == "rank1" and os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
        )
        if mine and seen >= int(count):
            die()
        if where == "slow":
            time.sleep(0.005)
        return batch_at(seen)

    if hasattr(checkpoint, where):
        die_in(where, int(count))
    (Path(out).parent / "started").touch()
    train(Tiny(), feed, settings(images=int(images)), out)


if __name__ == "__main__":
    main(*sys.argv[1:])
