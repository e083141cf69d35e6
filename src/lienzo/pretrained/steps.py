"""A call that tells its steps by a callback, as an iterator: it runs in a thread, one step ahead of who looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from torch import Tensor

Seen = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class Step:
    """A step of a picture on its way.

    Attributes:
        number: from 1; None: this is the picture.
        codes: the pipeline's own.
        picture: what they show, (1, 3, H, W) in [-1, 1]; None where nobody looked.
    """

    number: int | None
    codes: Tensor
    picture: Tensor | None


class _LeftError(Exception):
    """Nobody waits for the picture any more."""


def steps_of(draw: Callable[[Seen], Tensor], look: Callable[[Tensor], Tensor] | None) -> Iterator[Step]:
    """Yield the steps of a picture while it is drawn; the last is the picture itself.

    Args:
        draw: called with what it has to call after every step, from 0; returns the picture.
        look: codes → what they show; by the thread that draws, since parts of a pipeline may be moved for it.
    """
    steps: SimpleQueue[Step | BaseException] = SimpleQueue()
    left = threading.Event()

    def seen(step: int, codes: Tensor) -> None:
        if left.is_set():
            raise _LeftError
        codes = codes.detach().clone()
        steps.put(Step(step + 1, codes, None if look is None else look(codes)))

    def work() -> None:
        try:
            picture = draw(seen)
            steps.put(Step(None, picture, picture))
        except BaseException as error:  # raised again by who waits
            steps.put(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield from _in_order(steps)
    finally:
        left.set()
        worker.join()


def _in_order(steps: SimpleQueue[Step | BaseException]) -> Iterator[Step]:
    """Yield what arrives; the step before the picture is left out, whose codes are the picture's own."""
    waiting: Step | None = None
    while waiting is None or waiting.number is not None:
        step = steps.get()
        if isinstance(step, BaseException):
            raise step
        if waiting is not None and step.number is not None:
            yield waiting
        waiting = step
    yield waiting


def callback(seen: Seen) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    """Return what pipelines take as `callback_on_step_end`."""

    def each(pipeline: Any, step: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        seen(step, tensors["latents"])
        return {}

    return each
