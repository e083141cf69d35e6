"""Processes that decode: a file that hangs, crashes or swells takes one of them down, and nothing else."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from lienzo.data.columns import map_kind
from lienzo.data.decode import Decoded
from lienzo.data.pipe import receive, send, unpacked
from lienzo.data.pixels import Ask
from lienzo.data.records import Picture, Record

PACKAGES = Path(__file__).parents[2]  # where the decoding process finds lienzo
SECONDS = 20.0  # a picture may take
EXACT = ("segmentation", "mask")  # maps whose values must not mix
Outcome = tuple[Record, Decoded, dict[str, Decoded]]


class Worker:
    """One decoding process, started when first asked and again after it had to be ended.

    Args:
        seconds: how long one picture may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def decode(self, picture: Picture, ask: Ask) -> Decoded:
        """Decode a file or bytes; never raises for what they hold."""
        path = str(picture) if isinstance(picture, Path) else ""
        body = b"" if isinstance(picture, Path) else picture
        process = self._running()
        overdue = threading.Event()
        timer = threading.Timer(self.seconds, lambda: (overdue.set(), process.kill()))
        timer.daemon = True
        timer.start()
        try:
            send(cast(BinaryIO, process.stdin), {"path": path, "ask": vars(ask)}, body)
            return unpacked(*receive(cast(BinaryIO, process.stdout)))
        except (EOFError, OSError):
            self.close()
            if overdue.is_set():
                return Decoded(reason="too slow", detail=f"not decoded after {self.seconds:g} s")
            return Decoded(reason="crashed the decoder", detail=f"its process ended with {process.returncode}")
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process. The thread that decodes and the one that ends all may both come here."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            inherited = os.environ.get("PYTHONPATH")
            paths = os.pathsep.join([str(PACKAGES), *([inherited] if inherited else [])])
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lienzo.data.pipe"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the run, which ends them when it has saved
                env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )  # fmt: skip
        return self._process


class Workers:
    """Several decoding processes; a context manager that ends them.

    Args:
        count: how many; by default one a core, at most eight.
        seconds: how long one picture may take.
    """

    def __init__(self, count: int | None = None, seconds: float = SECONDS) -> None:
        self.count = count or min(8, os.cpu_count() or 1)
        self._all = [Worker(seconds) for _ in range(self.count)]
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="lienzo-decode")

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._all:
            worker.close()

    def decode(self, records: Iterable[Record], ask: Ask, *, ahead: int = 0) -> Iterator[Outcome]:
        """Decode records and their maps, in their order.

        Args:
            records: of any length: only a few are held at a time.
            ask: what to make of them.
            ahead: how many to begin before the first is asked for; by default four a process.
        """
        waiting: deque[Future[Outcome]] = deque()
        for record in records:
            waiting.append(self._threads.submit(self._one, record, ask))
            if len(waiting) >= (ahead or 4 * self.count):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _one(self, record: Record, ask: Ask) -> Outcome:
        if record.problem or record.picture is None:
            return record, Decoded(reason=record.problem or "no picture", detail=record.detail), {}
        worker = self._idle.get()
        try:
            found = worker.decode(record.picture, ask)
            maps = {} if found.pixels is None else record.maps
            return record, found, {name: worker.decode(each, over(name, ask)) for name, each in maps.items()}
        finally:
            self._idle.put(worker)


def over(name: str, ask: Ask) -> Ask:
    """What to make of the maps of a column, of which its name tells the kind."""
    return replace(ask, over="exact" if map_kind(name) in EXACT else "smooth")
