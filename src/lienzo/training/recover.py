"""What can go wrong while training, told apart: numbers that are not finite, memory that ran out."""

from __future__ import annotations

import gc
import math

import torch

from lienzo.core import ConfigurationError, LienzoError

PATIENCE = 8  # rollbacks in a row before a run gives up


class TrainingError(LienzoError):
    """A run that cannot go on. What it saved is still there."""


class NotFiniteError(Exception):
    """A loss or a gradient with NaN or infinity in it; the weights are as they were before this player's step.

    Args:
        what: which number.
    """


def must_be_finite(**numbers: float) -> None:
    """Let finite numbers pass.

    Raises:
        NotFiniteError: naming the first that is not.
    """
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise NotFiniteError(f"{name.replace('_', ' ')} is {value}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)


def fewer_rows(rows: int) -> int:
    """Return how many pictures to compute at once after memory ran out with `rows`, and free what can be freed.

    Raises:
        ConfigurationError: if it was one picture already.
    """
    if rows <= 1:
        hint = "a smaller network, smaller pictures, or precision bfloat16"
        raise ConfigurationError("the memory does not hold the gradient of a single picture", hint=hint)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return (rows + 1) // 2
