"""What work costs this process: its peak of memory, and how often its networks are evaluated."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from lienzo.conditions import Bus
from lienzo.core import Family
from lienzo.training.observers import resident_memory


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held.

    The kernel's high-water mark of this program where it is told; `getrusage`'s would count the parent's memory, which
    a process inherits for the instant before it becomes another program.
    """
    try:
        lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    except (OSError, StopIteration, ValueError):
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def device_memory() -> int | None:
    """Return the most bytes that tensors have held on the GPU; None where none is used."""
    used = torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch.cuda.max_memory_allocated() if used else None


def memory_now() -> int:
    """Return the bytes of memory that this process holds."""
    return resident_memory()


class Others:
    """Over the block, how many cores other programs kept busy; a time that was taken beside them is too long.

    Attributes:
        cores: on average; None where the system does not tell.
    """

    def __init__(self) -> None:
        self.cores: float | None = None

    def __enter__(self) -> Others:
        self._began, self._own, self._all = time.perf_counter(), time.process_time(), _busy()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        busy = _busy()
        if busy is not None and self._all is not None:
            theirs = busy - self._all - (time.process_time() - self._own)
            self.cores = max(0.0, theirs / max(time.perf_counter() - self._began, 1e-9))


def _busy() -> float | None:
    """Return how long the machine's cores have worked, s, all together."""
    try:
        fields = Path("/proc/stat").read_text("ascii").split(maxsplit=4)[1:4]  # of the first line: user, nice, system
        return sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


class Calls:
    """Within the block, counts the rows that each layer with weights of its own is evaluated on.

    Args:
        family: whose layers; those that only hear conditions are left out.
    """

    def __init__(self, family: Family) -> None:
        ears = {module for bus in family.modules() if isinstance(bus, Bus) for module in bus.modules()}
        own = {m: sum(p.numel() for p in m.parameters(recurse=False)) for m in family.modules() if m not in ears}
        self._weights = {module: count for module, count in own.items() if count}
        self._rows: Counter[nn.Module] = Counter()
        self._handles: list[Any] = []

    def __enter__(self) -> Calls:
        self._handles = [module.register_forward_hook(self._heard) for module in self._weights]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for handle in self._handles:
            handle.remove()

    def _heard(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        first = next((x for x in inputs if isinstance(x, Tensor)), output)
        self._rows[module] += len(first) if isinstance(first, Tensor) and first.ndim else 1

    def of(self, pictures: int) -> int:
        """Return how often the network was evaluated a picture: the median over its weights, 0 if it has no network."""
        heard = sorted((rows, self._weights[module]) for module, rows in self._rows.items())
        half, below = sum(count for _, count in heard) / 2, 0
        for rows, count in heard:
            below += count
            if below >= half:
                return max(1, round(rows / pictures))
        return 0
