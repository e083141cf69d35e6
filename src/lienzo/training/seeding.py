"""First weights from a seed: torch's layers draw them from its global generator, which is nobody else's business."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch

from lienzo.core import derive_seed


@contextmanager
def seeded(seed: int, purpose: str) -> Generator[None]:
    """Within the block torch's global generator is seeded; afterwards it is as before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, purpose))
        yield
