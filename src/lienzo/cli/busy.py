"""A machine that others compute on, too: threads that spin while they wait take the time of the one they wait for."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")  # what a user may have decided
LOOKS, BETWEEN = 3, 0.01  # how often is looked who computes, and seconds between


def give_way(arguments: Sequence[str], running: Path = Path("/proc/loadavg")) -> bool:
    """Let this process's threads sleep while they wait, if others compute; call it before torch is imported.

    Beside four other computing threads on two cores an edit took 58 s with spinning threads and 34 s with sleeping
    ones; on a quiet machine spinning is a fifth faster at small batches, and stays.

    Args:
        arguments: of the command line; for help alone nothing is done.
        running: whose fourth word is how many threads run now, this one among them; only Linux has it.

    Returns:
        Whether they will sleep.
    """
    if not arguments or "--help" in arguments or any(name in os.environ for name in SETTINGS):
        return False
    for look in range(LOOKS):
        time.sleep(BETWEEN if look else 0)
        try:
            others = int(running.read_text("utf-8").split()[3].split("/")[0]) - 1
        except (OSError, IndexError, ValueError):
            return False
        if not others:
            return False
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    return True
